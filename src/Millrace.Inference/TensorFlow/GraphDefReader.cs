using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>Reads a frozen graph's file.</summary>
static class GraphDefReader
{
    const string What = "the GraphDef";

    // A SavedModel begins with its schema version, a number, where a GraphDef has nodes.
    const byte SavedModelTag = 0x08;

    /// <summary>Reads a file.</summary>
    /// <exception cref="NnException">It is damaged, or not a GraphDef.</exception>
    public static GraphDef Read(ReadOnlyMemory<byte> file)
    {
        if (file.IsEmpty) throw new NnException(NnErrno.InvalidEncoding, "the GraphDef is empty: it has no bytes");
        if (file.Span[0] == SavedModelTag)
        {
            throw new NnException(NnErrno.InvalidEncoding,
                "this is a SavedModel (saved_model.pb), not a GraphDef: freeze it into one with convert_variables_to_constants_v2");
        }

        var nodes = ImmutableArray.CreateBuilder<NodeDef>();
        var functions = ImmutableDictionary.CreateBuilder<string, FunctionDef>();
        var reader = new ProtoReader(file, What);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: nodes.Add(ReadNode(reader.Message)); break;
                case 2: ReadLibrary(reader.Message, functions); break;
                default: break;
            }
        }

        if (nodes.Count == 0) throw new NnException(NnErrno.InvalidEncoding, "the GraphDef is damaged, or none: it has no nodes");
        return new(nodes.ToImmutable(), functions.ToImmutable());
    }

    /// <summary><c>TensorShapeProto</c>: -1 where a size is open, default where their number is.</summary>
    public static ImmutableArray<long> ReadShape(ProtoReader shape)
    {
        var sizes = ImmutableArray.CreateBuilder<long>();
        var isOpen = false;
        while (shape.Next())
        {
            if (shape.Field == 3) isOpen = shape.Number != 0;
            if (shape.Field != 2) continue;
            long size = 0;
            var dimension = shape.Message;
            while (dimension.Next())
            {
                if (dimension.Field == 1) size = dimension.Number;
            }

            sizes.Add(size < 0 ? -1 : size);
        }

        return isOpen ? default : sizes.ToImmutable();
    }

    static NodeDef ReadNode(ProtoReader node)
    {
        var (name, op) = ("", "");
        var inputs = ImmutableArray.CreateBuilder<string>();
        var attributes = ImmutableDictionary.CreateBuilder<string, AttributeDef>();
        while (node.Next())
        {
            switch (node.Field)
            {
                case 1: name = node.Text; break;
                case 2: op = node.Text; break;
                case 3: inputs.Add(node.Text); break;
                case 5:
                    var (key, value) = ReadEntry(node.Message);
                    attributes[key] = new(value);
                    break;
                default: break;
            }
        }

        if (name.Length == 0 || op.Length == 0)
            throw new NnException(NnErrno.InvalidEncoding, "the GraphDef is damaged, or none: a node has no name or no operator");
        return new(name, op, inputs.ToImmutable(), attributes.ToImmutable());
    }

    static void ReadLibrary(ProtoReader library, ImmutableDictionary<string, FunctionDef>.Builder functions)
    {
        while (library.Next())
        {
            if (library.Field != 1) continue;
            var function = ReadFunction(library.Message);
            functions[function.Name] = function;
        }
    }

    static FunctionDef ReadFunction(ProtoReader function)
    {
        var (name, parameters, outputs) = ("", ImmutableArray<string>.Empty, ImmutableArray<string>.Empty);
        var nodes = ImmutableArray.CreateBuilder<NodeDef>();
        var results = new Dictionary<string, string>(StringComparer.Ordinal);
        while (function.Next())
        {
            switch (function.Field)
            {
                case 1: (name, parameters, outputs) = ReadSignature(function.Message); break;
                case 3: nodes.Add(ReadNode(function.Message)); break;
                case 4:
                    var (key, value) = ReadEntry(function.Message);
                    results[key] = System.Text.Encoding.UTF8.GetString(value.Span);
                    break;
                default: break;
            }
        }

        var missing = outputs.FirstOrDefault(output => !results.ContainsKey(output));
        if (missing is not null)
            throw new NnException(NnErrno.InvalidEncoding, $"the GraphDef's function {name} does not say what its output {missing} is");
        return new(name, parameters, [.. outputs.Select(output => results[output])], nodes.ToImmutable());
    }

    static (string Name, ImmutableArray<string> Parameters, ImmutableArray<string> Outputs) ReadSignature(ProtoReader signature)
    {
        var (name, parameters, outputs) = ("", new List<string>(), new List<string>());
        while (signature.Next())
        {
            switch (signature.Field)
            {
                case 1: name = signature.Text; break;
                case 2: parameters.Add(ReadName(signature.Message)); break;
                case 3: outputs.Add(ReadName(signature.Message)); break;
                default: break;
            }
        }

        return (name, [.. parameters], [.. outputs]);
    }

    static string ReadName(ProtoReader message)
    {
        var name = "";
        while (message.Next())
        {
            if (message.Field == 1) name = message.Text;
        }

        return name;
    }

    static (string Key, ReadOnlyMemory<byte> Value) ReadEntry(ProtoReader entry)
    {
        var (key, value) = ("", ReadOnlyMemory<byte>.Empty);
        while (entry.Next())
        {
            if (entry.Field == 1) key = entry.Text;
            if (entry.Field == 2) value = entry.Bytes;
        }

        return (key, value);
    }
}
