namespace Millrace.Inference.Native;

/// <summary>An adapter beside its model's weights.</summary>
/// <param name="Handle"><c>llama_adapter_lora *</c>, which goes with the model.</param>
/// <param name="Scale">How much of it is added.</param>
/// <param name="Bytes">Its file's size.</param>
readonly record struct LoadedAdapter(nint Handle, float Scale, long Bytes);
