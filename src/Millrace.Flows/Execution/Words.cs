using System.Text;

namespace Millrace.Flows.Execution;

/// <summary>How the names of our lists are written in JSON and on screen: <c>timed-out</c>.</summary>
static class Words
{
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var word = new StringBuilder();
        foreach (var letter in value.ToString())
        {
            if (char.IsUpper(letter) && word.Length > 0) word.Append('-');
            word.Append(char.ToLowerInvariant(letter));
        }
        return word.ToString();
    }
}
