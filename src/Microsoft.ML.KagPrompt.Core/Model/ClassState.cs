using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>A class as a model holds it.</summary>
internal sealed record ClassState(Shared<ClassReference> Reference, ThresholdCalibration Calibration);
