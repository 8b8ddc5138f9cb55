using System.IO.Compression;
using System.Text;
using Millrace.Inference.PyTorch;
using Millrace.Inference.Tests.Backends;
using Millrace.Inference.Tests.Proxy;
using Millrace.Nn;

namespace Millrace.Inference.Tests.PyTorch;

/// <summary>A module that gives a list and takes a number: how many outputs there are only a computation tells.</summary>
public sealed class PyTorchListTests : IAsyncLifetime
{
    const string Code = """
        class For(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          _is_full_backward_hook : Optional[bool]
          def forward(s: __torch__.For,
            x: Tensor,
            k: int) -> List[Tensor]:
            _0 = [torch.neg(x), torch.mul(x, k)]
            return _0

        """;

    readonly InferenceClient _client = new(new(ProxyTests.Command));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _client.DisposeAsync();

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lists_come_out_one_by_one_and_numbers_go_in(bool isInWorker)
    {
        INnBackend backend = isInWorker
            ? NnBackends.InWorker(_client).First(other => other.Encoding == NnEncoding.PyTorch) : new PyTorchBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        using var graph = backend.Load(new([Rewritten(ConformanceCase.Read("torchscript/script_for_int_tensor_count").Model.Builders[0])]));
        using var context = graph.CreateContext();
        Assert.Empty(graph.Outputs);
        context.SetInput(0, Tensors.Of<float>(TensorType.F32, [2], 1, 2));
        context.SetInput(1, Tensors.Of<long>(TensorType.I64, [], 3));

        context.Compute(default);

        Assert.Equal(["output0", "output1"], graph.Outputs.Select(port => port.Name));
        Assert.Null(Tensors.Difference(Tensors.Of<float>(TensorType.F32, [2], -1, -2), context.GetOutput(0), 0, 0));
        Assert.Null(Tensors.Difference(Tensors.Of<float>(TensorType.F32, [2], 3, 6), context.GetOutput(1), 0, 0));
    }

    static byte[] Rewritten(ReadOnlyMemory<byte> model)
    {
        using var read = new ZipArchive(new MemoryStream(model.ToArray()));
        var written = new MemoryStream();
        using (var archive = new ZipArchive(written, ZipArchiveMode.Create))
        {
            foreach (var entry in read.Entries.Where(entry => !entry.FullName.EndsWith(".debug_pkl", StringComparison.Ordinal)))
            {
                using var to = archive.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                if (entry.Name == "__torch__.py") to.Write(Encoding.UTF8.GetBytes(Code.ReplaceLineEndings("\n")));
                else using (var from = entry.Open()) from.CopyTo(to);
            }
        }

        return written.ToArray();
    }
}
