using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Api = Millrace.Inference.Native.Llama;

namespace Millrace.Inference.Tests;

/// <summary>Sizes and offsets of llama.h (v0.4 and v0.5, LP64), checked without the library.</summary>
public class LayoutTests
{
    [Fact]
    public void Structs_have_the_sizes_of_the_header()
    {
        Assert.Equal(80, Unsafe.SizeOf<Api.ModelParams>());
        Assert.Equal(160, Unsafe.SizeOf<Api.ContextParams>());
        Assert.Equal(56, Unsafe.SizeOf<Api.Batch>());
        Assert.Equal(1, Unsafe.SizeOf<Api.SamplerChainParams>());
    }

    [Theory]
    [InlineData(typeof(Api.ModelParams), nameof(Api.ModelParams.NGpuLayers), 16)]
    [InlineData(typeof(Api.ModelParams), nameof(Api.ModelParams.CheckTensors), 73)]
    [InlineData(typeof(Api.ContextParams), nameof(Api.ContextParams.NThreads), 28)]
    [InlineData(typeof(Api.ContextParams), nameof(Api.ContextParams.AbortCallback), 112)]
    [InlineData(typeof(Api.ContextParams), nameof(Api.ContextParams.NoPerf), 130)]
    [InlineData(typeof(Api.Batch), nameof(Api.Batch.Token), 8)]
    [InlineData(typeof(Api.Batch), nameof(Api.Batch.Logits), 48)]
    public void Fields_have_the_offsets_of_the_header(Type type, string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf(type, field));
}
