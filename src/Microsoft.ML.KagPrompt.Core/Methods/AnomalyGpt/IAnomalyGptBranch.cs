namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <summary>A branch of AnomalyGPT: what an initial model must be to start one.</summary>
internal interface IAnomalyGptBranch : IInspectionMethod;
