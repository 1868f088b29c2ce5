using System.Runtime.CompilerServices;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Tests run networks until their process ends: they are faster where its heap keeps what is freed.</summary>
internal static class KeptHeap
{
    [ModuleInitializer]
    internal static void Keep() => NativeHeap.Keep();
}
