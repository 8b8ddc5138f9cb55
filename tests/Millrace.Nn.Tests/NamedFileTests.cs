using System.Collections.Immutable;
using System.Text;

namespace Millrace.Nn.Tests;

/// <summary>What becomes of the files of a model that was granted by name.</summary>
public sealed class NamedFileTests : IDisposable
{
    readonly string _path = Path.GetTempFileName();

    public NamedFileTests() => File.WriteAllText(_path, "weights");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_backend_that_opens_files_is_told_where_they_are_and_gets_none_of_their_bytes()
    {
        var backend = new FakeBackend(NnEncoding.Onnx) { OpensFiles = true };

        Load(backend, Granted());

        Assert.Equal([NnFile.Of(_path)], backend.Models[0].Files.ToArray());
        Assert.Equal(["{}"], Texts(backend));
    }

    [Fact]
    public void Another_backend_gets_their_bytes()
    {
        var backend = new FakeBackend(NnEncoding.Onnx);

        Load(backend, Granted());

        Assert.Empty(backend.Models[0].Files);
        Assert.Equal(["weights", "{}"], Texts(backend));
    }

    [Theory]
    [InlineData(NnEncoding.Onnx)]
    [InlineData(NnEncoding.Ggml)]
    public void A_file_that_was_changed_after_it_was_granted_is_refused(NnEncoding encoding)
    {
        var granted = Granted() with { Encoding = encoding };
        File.WriteAllText(_path, "other weights");

        var refusal = Assert.Throws<NnException>(() => Load(new FakeBackend(encoding), granted));

        Assert.Equal(NnErrno.ModelNotFound, refusal.Errno);
        Assert.Contains("was changed after it was granted", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_nothing_was_noted_of_is_taken_as_it_is()
    {
        var backend = new FakeBackend(NnEncoding.Onnx);
        var granted = Granted() with { Files = [] };
        File.WriteAllText(_path, "other weights");

        Load(backend, granted);

        Assert.Equal(["other weights", "{}"], Texts(backend));
    }

    NamedModel Granted() => new("model", NnEncoding.Onnx, NnTarget.Cpu, [_path]) { Files = [NnFile.Of(_path)] };

    static void Load(FakeBackend backend, NamedModel model) => new NnModels(new()
    {
        Backends = [backend],
        Models = ImmutableDictionary<string, NamedModel>.Empty.Add(model.Name, model),
    }).LoadByName(model.Name, "{}", default).Dispose();

    static IEnumerable<string> Texts(FakeBackend backend) => backend.Models[0].Builders.Select(part => Encoding.UTF8.GetString(part.Span));
}
