using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Cli.Computing;
using Millrace.Nn;

namespace Millrace.Cli.Tests.Commands;

/// <summary><c>nn run</c>, on a model that gives the sum and the difference of its two inputs.</summary>
public sealed class NnCommandTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-nn-");
    readonly FakeBackend _backend = new();

    public NnCommandTests() => Write("net.onnx", "model"u8);

    public void Dispose() => _folder.Delete(recursive: true);

    string At(string name) => Path.Combine(_folder.FullName, name);

    void Write(string name, ReadOnlySpan<byte> bytes) => File.WriteAllBytes(At(name), bytes);

    string Floats(string name, params float[] numbers)
    {
        Write(name, MemoryMarshal.AsBytes(numbers.AsSpan()));
        return At(name);
    }

    float[] ReadFloats(string name) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(At(name))).ToArray();

    async Task<Answer> RunAsync(params string[] words)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var command = NnCommand.Create(new Screen(TextReader.Null, output, errors), () => new([_backend]));
        try
        {
            var code = await command.Parse(["run", .. words]).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
            return new(code, output.ToString(), errors.ToString());
        }
        catch (CommandException e)
        {
            return new(e.ExitCode, output.ToString(), e.Message);
        }
    }

    [Fact]
    public async Task Computes_a_model_on_raw_tensors_in_the_models_order()
    {
        var (a, b) = (Floats("a.bin", 1, 2), Floats("b.bin", 10, 20));

        var answer = await RunAsync(
            At("net.onnx"), "--input", $"{a}:f32:1x2", "--input", $"{b}:f32:1x2", "--output", At("sum"), "--output", At("difference"));

        Assert.Equal((0, ""), (answer.Code, answer.Words));
        Assert.Equal(["output sum: f32 1x2", "output difference: f32 1x2"], answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal([11f, 22f], ReadFloats("sum"));
        Assert.Equal([-9f, -18f], ReadFloats("difference"));
        Assert.Equal("model", System.Text.Encoding.UTF8.GetString(_backend.Last!.Builders[0].Span));
    }

    [Fact]
    public async Task Names_stand_for_places()
    {
        var (a, b) = (Floats("a.bin", 1, 2), Floats("b.bin", 10, 20));

        var answer = await RunAsync(
            At("net.onnx"), "--input", $"b={b}:f32:1x2", "--input", $"{a}:f32:1x2", "--output", $"difference={At("difference")}", "--json");

        Assert.Equal([-9f, -18f], ReadFloats("difference"));
        Assert.Equal("onnx", (string?)answer.Json["encoding"]);
        Assert.Equal("""{"name":"difference","type":"f32","shape":[1,2]}""", answer.Json["outputs"]![1]!.ToJsonString());
    }

    [Fact]
    public async Task Without_inputs_it_shows_what_the_model_takes()
    {
        var answer = await RunAsync(At("net.onnx"));

        Assert.StartsWith("input a: f32 1x?\ninput b: f32 1x?\noutput sum", answer.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("in.bin:f32", new long[0], TensorType.F32, "in.bin", null)]
    [InlineData("in.bin:i64:", new long[0], TensorType.I64, "in.bin", null)]
    [InlineData("x:0=c:/in.bin:bool:0x3", new long[] { 0, 3 }, TensorType.Bool, "c:/in.bin", "x:0")]
    [InlineData("in:u8:f16:7", new long[] { 7 }, TensorType.F16, "in:u8", null)]
    public void An_input_is_a_file_a_type_and_sizes(string text, long[] sizes, TensorType type, string path, string? name)
    {
        var input = TensorFile.Parse(text);

        Assert.Equal((type, path, name), (input.Type, input.Path, input.Name));
        Assert.Equal(sizes, input.Dimensions);
    }

    [Theory]
    [InlineData("net.onnx --input a.bin:f32:1x3", "the file has 8 bytes; f32 1x3 takes 12", 2)]
    [InlineData("net.onnx --input a.bin:f64:1x1", "f64 1x1 does not fit input 'a', which takes f32 1x?", 2)]
    [InlineData("net.onnx --input a.bin:f32:2", "does not fit input 'a', which takes f32 1x?", 2)]
    [InlineData("net.onnx --input a.bin:float:1x2", "'float' is no type: f16, f32", 2)]
    [InlineData("net.onnx --input a.bin:f32:1xx2", "'1xx2' is no shape", 2)]
    [InlineData("net.onnx --input a.bin", "write FILE:TYPE:SHAPE", 2)]
    [InlineData("net.onnx --input gone.bin:f32:1x2", "gone.bin", 2)]
    [InlineData("net.onnx --input c=a.bin:f32:1x2", "the model has no such name: a, b", 2)]
    [InlineData("net.onnx --input a.bin:f32:1x2 --input a.bin:f32:1x2 --input a.bin:f32:1x2", "the model has 2 inputs: a, b", 2)]
    [InlineData("net.onnx --input a.bin:f32:1x2 --output x", "input 'b' is not set (errno 1)", 1)]
    [InlineData("net.onnx --input a.bin:f32:1x2 --input a.bin:f32:1x2 --output x --output y --output z", "the model has 2 outputs: sum, difference", 2)]
    [InlineData("net.onnx --input a.bin:f32:1x2 --input a.bin:f32:1x2 --output no/where", "--output no/where", 2)]
    [InlineData("gone.onnx", "there is no file", 2)]
    [InlineData("a.bin", "neither the name nor the bytes tell what it is", 2)]
    [InlineData("a.bin --encoding keras", "'keras' is no encoding", 2)]
    [InlineData("a.bin --encoding whisper", "there is no backend for Whisper", 2)]
    [InlineData("net.xml", "its weights are not beside it", 2)]
    [InlineData("net.onnx --options {}", "--options is for models of text", 2)]
    public async Task What_is_wrong_is_told(string words, string expected, int code)
    {
        Floats("a.bin", 1, 2);
        Write("net.xml", "<net/>"u8);
        string[] files = ["net.onnx", "a.bin", "gone.onnx", "net.xml"];
        _backend.Encoding = words.StartsWith("net.xml", StringComparison.Ordinal) ? NnEncoding.OpenVino : NnEncoding.Onnx;

        var answer = await RunAsync([.. words.Split(' ').Select(word => files.Contains(word) ? At(word) : word
            .Replace("a.bin:", At("a.bin") + ":", StringComparison.Ordinal))]);

        Assert.Contains(expected, answer.Words, StringComparison.Ordinal);
        Assert.Equal(code, answer.Code);
    }

    [Fact]
    public async Task A_backend_that_is_not_there_says_why()
    {
        _backend.WhyAbsent = "its library is not installed: install libnet";

        var answer = await RunAsync(At("net.onnx"));

        Assert.Contains("its library is not installed: install libnet", answer.Words, StringComparison.Ordinal);
    }

    sealed class FakeBackend : INnBackend, INnGraph
    {
        public NnEncoding Encoding { get; set; } = NnEncoding.Onnx;

        public string? WhyAbsent { get; set; }

        public NnModel? Last { get; private set; }

        public ImmutableArray<TensorPort> Inputs { get; } = [new("a", TensorType.F32, [1, -1]), new("b", TensorType.F32, [1, -1])];

        public ImmutableArray<TensorPort> Outputs { get; } = [new("sum", TensorType.F32, [1, -1]), new("difference", null, default)];

        public INnGraph Load(NnModel model)
        {
            Last = model;
            return this;
        }

        public INnContext CreateContext() => new Context();

        public void Dispose() { }
    }

    sealed class Context : INnContext
    {
        readonly Tensor?[] _inputs = new Tensor?[2];

        public void SetInput(int index, Tensor tensor) => _inputs[index] = tensor;

        public void Compute(CancellationToken cancel)
        {
            if (_inputs[1] is null) throw new NnException(NnErrno.InvalidArgument, "input 'b' is not set");
        }

        public Tensor GetOutput(int index)
        {
            var pairs = Numbers(0).Zip(Numbers(1));
            var numbers = pairs.Select(pair => index == 0 ? pair.First + pair.Second : pair.First - pair.Second).ToArray();
            return _inputs[0]! with { Data = MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray() };
        }

        float[] Numbers(int index) => MemoryMarshal.Cast<byte, float>(_inputs[index]!.Data.Span).ToArray();

        public void Dispose() { }
    }
}
