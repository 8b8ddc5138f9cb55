using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Inference.Templates;

/// <summary>
/// A prompt in which every turn is written alike. <c>{text}</c> stands for the turn's text, <c>{trimmed}</c> for that
/// without the blanks around it, <c>{bos}</c> and <c>{eos}</c> for the model's tokens. Where the user's turn has
/// <c>{system}</c>, the system's is written there, in the first user's turn.
/// </summary>
/// <param name="System">The system's turn.</param>
/// <param name="User">The user's.</param>
/// <param name="Assistant">The model's.</param>
/// <param name="Generation">Where the model begins to write.</param>
/// <param name="Begin">What stands before all turns.</param>
sealed partial record TurnFormat(string System, string User, string Assistant, string Generation, string Begin = "")
{
    /// <summary>What the system says where the conversation does not.</summary>
    public string? SystemWhenNone { get; init; }

    /// <exception cref="InferenceException">A turn is none that the format can write.</exception>
    public string Render(IReadOnlyList<ChatTurn> turns, string bos, string eos)
    {
        var prompt = new StringBuilder(Special(Begin));
        var system = "";
        IEnumerable<ChatTurn> all = turns;
        if (SystemWhenNone is { } text && turns.All(turn => turn.Role != "system")) all = [new("system", text), .. turns];
        foreach (var turn in all)
        {
            var form = turn.Role switch
            {
                "system" => System,
                "user" => User,
                "assistant" => Assistant,
                _ => throw new InferenceException("invalid", $"this template knows system, user and assistant, not {turn.Role}"),
            };
            if (turn.Role == "system" && FoldsSystem)
            {
                system = Written(System, turn.Content, "");
                continue;
            }

            prompt.Append(Written(form, turn.Content, system));
            if (turn.Role == "user") system = "";
        }

        return prompt.Append(Special(Generation)).ToString();

        string Special(string form) => Written(form, "", "");

        // Left to right and once: what a turn says is never looked at for marks.
        string Written(string form, string content, string before) => Mark().Replace(form, mark => mark.Value switch
        {
            "{text}" => content,
            "{trimmed}" => content.Trim(),
            "{system}" => before,
            "{bos}" => bos,
            _ => eos,
        });
    }

    bool FoldsSystem => User.Contains("{system}", StringComparison.Ordinal);

    [GeneratedRegex(@"\{(?:text|trimmed|system|bos|eos)\}")]
    private static partial Regex Mark();
}
