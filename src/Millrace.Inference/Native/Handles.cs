using System.Runtime.InteropServices;

namespace Millrace.Inference.Native;

/// <summary><c>llama_model *</c></summary>
sealed class ModelHandle : SafeHandle
{
    public ModelHandle(nint model) : base(0, ownsHandle: true) => SetHandle(model);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Llama.llama_model_free(handle);
        return true;
    }
}

/// <summary><c>llama_context *</c></summary>
sealed class ContextHandle : SafeHandle
{
    public ContextHandle(nint context) : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Llama.llama_free(handle);
        return true;
    }
}

/// <summary><c>llama_sampler *</c>, a chain.</summary>
sealed class SamplerHandle : SafeHandle
{
    public SamplerHandle(nint sampler) : base(0, ownsHandle: true) => SetHandle(sampler);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Llama.llama_sampler_free(handle);
        return true;
    }
}
