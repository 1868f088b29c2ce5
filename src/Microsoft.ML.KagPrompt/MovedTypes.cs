// What lies in Microsoft.ML.KagPrompt.Columns since it is of use without TorchSharp: programs that were compiled against earlier
// packages look for it here.
#pragma warning disable RS0041 // A compiler-made Equals is not annotated where it is read from another assembly.
using System.Runtime.CompilerServices;
using Microsoft.ML.KagPrompt;

[assembly: TypeForwardedTo(typeof(ColumnOptions))]
[assembly: TypeForwardedTo(typeof(MapResolution))]
