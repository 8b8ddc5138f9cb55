using System.Text;
using System.Text.Json;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Backends;

/// <summary>The calls of a guest that has a model of text, for the tests of both backends that compute one.</summary>
static class TextModels
{
    public static void Set(INnContext context, string text, int index = 0)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        context.SetInput(index, new(TensorType.U8, [bytes.Length], bytes));
    }

    public static string Text(INnContext context, int index = 0) => Encoding.UTF8.GetString(context.GetOutput(index).Data.Span);

    public static (int Input, int Output) Counts(INnContext context)
    {
        using var json = JsonDocument.Parse(Text(context, 1));
        return (json.RootElement.GetProperty("input_tokens").GetInt32(), json.RootElement.GetProperty("output_tokens").GetInt32());
    }

    public static NnErrno Errno(Action action) => Assert.Throws<NnException>(action).Errno;
}
