using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Millrace.Inference.Native;

namespace Millrace.Inference.Tests;

/// <summary>Sizes and offsets of llama.h (v0.4 and v0.5, LP64), checked without the library.</summary>
public class LayoutTests
{
    [Fact]
    public void Structs_have_the_sizes_of_the_header()
    {
        Assert.Equal(80, Unsafe.SizeOf<Llama.ModelParams>());
        Assert.Equal(160, Unsafe.SizeOf<Llama.ContextParams>());
        Assert.Equal(56, Unsafe.SizeOf<Llama.Batch>());
        Assert.Equal(1, Unsafe.SizeOf<Llama.SamplerChainParams>());
    }

    [Theory]
    [InlineData(typeof(Llama.ModelParams), nameof(Llama.ModelParams.NGpuLayers), 16)]
    [InlineData(typeof(Llama.ModelParams), nameof(Llama.ModelParams.CheckTensors), 73)]
    [InlineData(typeof(Llama.ContextParams), nameof(Llama.ContextParams.NThreads), 28)]
    [InlineData(typeof(Llama.ContextParams), nameof(Llama.ContextParams.AbortCallback), 112)]
    [InlineData(typeof(Llama.ContextParams), nameof(Llama.ContextParams.NoPerf), 130)]
    [InlineData(typeof(Llama.Batch), nameof(Llama.Batch.Token), 8)]
    [InlineData(typeof(Llama.Batch), nameof(Llama.Batch.Logits), 48)]
    public void Fields_have_the_offsets_of_the_header(Type type, string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf(type, field));
}
