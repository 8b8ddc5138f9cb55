using System.Text;
using Millrace.Wasm;
using Millrace.Wasm.Text;

namespace Millrace.Fuzz.Mutation;

/// <summary>Changes texts of modules and scripts: characters, tokens and whole forms.</summary>
sealed class TextMutator(Choices choices)
{
    const int DeepMax = 20_000;

    static readonly string[] Pieces =
    [
        "(", ")", "\"", "$", "(;", ";)", ";;", "(@a ", "(@custom ", "(@metadata.code.branch_hint \"\\01\")", "(@name \"n\")",
        "\\", "\n", "\0", "\u00e4", "\ud800", "\ufeff", "0x", "-", "_", "i32.const", "(func", "(type $t", "(param $x", "end",
        "else", "(then", "1_000", "0xffffffffffffffffff", "1e999", "0x1p-1100", "nan:0x0", "align=0", "align=3",
        "offset=99999999999999999999", "offset=0xffffffffffffffff", "$\"\\ff\"", "(rec", "(ref null 99999999)", "v128.const i8x16",
        "(export \"\"", "(import \"\" \"\"", "pagesize", "shared", "(elem", "(memory i64 0xffffffffffffffff)", "(table 0xffffffff funcref)",
        "4294967295", "4294967296", "-2147483649", "\\u{110000}", "\\u{d800}", "(sub final", "(descriptor", "i8x16.shuffle",
        "(assert_return (invoke \"", "(module binary", "(module quote \"", "(module definition", "(either", "nan:canonical",
    ];

    // What nests: readers that call themselves end here or nowhere.
    static readonly string[] Openers =
    [
        "(", "(block ", "(func (block ", "(loop (result i32) ", "block ", "if ", "(if (i32.const 0) (then ", "(i32.eqz ",
        "(rec ", "(sub ", "(ref null ", "(field ", "(type ", "(module ", "(@a ", "(; ", "(param ", "(elem ", "(item ",
        "try_table ", "(try_table ", "(data ", "(offset ", "(assert_trap ", "(either ", "(ref.null ", "(v128.not ",
    ];

    public string Next(string seed, string other)
    {
        if (choices.OneIn(60)) return Deep(seed);
        var text = seed;
        for (var changes = 1 + choices.Below(5); changes > 0; changes--)
            text = choices.OneIn(2) ? OfTokens(text, other) : OfCharacters(text, other);
        return text;
    }

    /// <summary>As above, in bytes that need not be UTF-8.</summary>
    public byte[] NextBytes(string seed, string other)
    {
        var bytes = Encoding.UTF8.GetBytes(Next(seed, other));
        for (var changes = choices.Below(4); changes > 0 && bytes.Length > 0; changes--)
            bytes[choices.Below(bytes.Length)] = (byte)choices.Bits();
        return bytes;
    }

    string Deep(string seed)
    {
        var times = 1 + choices.Below(DeepMax);
        var (opener, at) = (choices.Of(Openers), choices.OneIn(2) ? 0 : choices.Below(seed.Length + 1));
        var deep = new StringBuilder().Insert(0, opener, times);
        if (choices.OneIn(2)) deep.Append(')', times * opener.Count(letter => letter == '('));
        return choices.Below(3) switch
        {
            0 => deep.ToString(),
            1 => $"(module (func {deep}))",
            _ => seed.Insert(at, deep.ToString()),
        };
    }

    string OfCharacters(string text, string other)
    {
        if (text.Length == 0) return choices.Of(Pieces);
        var at = choices.Below(text.Length);
        switch (choices.Below(5))
        {
            case 0: return text.Remove(at, Math.Min(1 + choices.Below(12), text.Length - at));
            case 1: return text.Insert(at, choices.Of(Pieces));
            case 2: return $"{text[..at]}{(char)choices.Below(choices.OneIn(8) ? 0x10000 : 128)}{text[(at + 1)..]}";
            case 3: return text[..at];
            default:
                var from = choices.Below(other.Length);
                return text.Insert(at, other.Substring(from, Math.Min(1 + choices.Below(60), other.Length - from)));
        }
    }

    string OfTokens(string text, string other)
    {
        var (tokens, others) = (Read(text), Read(other));
        if (tokens.Count == 0 || others.Count == 0) return OfCharacters(text, other);
        var at = choices.Of(tokens);
        var same = others.FindAll(token => token.Kind == at.Kind);
        var (start, end) = (at.Start, EndOf(at, text, tokens));
        return choices.Below(6) switch
        {
            0 => text.Remove(start, end - start),
            1 => text.Insert(start, text[start..end] + " "),
            2 when same.Count > 0 => Replaced(WordOf(choices.Of(same))),
            3 => Replaced(Form(other, others)),
            4 => text.Insert(start, Form(text, tokens) + " "),
            _ => Replaced(choices.Of(Pieces)),
        };

        string Replaced(string by) => $"{text[..start]}{by}{text[end..]}";

        string WordOf(Token token) => other[token.Start..token.End];
    }

    string Form(string text, List<Token> tokens)
    {
        var token = choices.Of(tokens);
        return text[token.Start..EndOf(token, text, tokens)];
    }

    // Of an opening parenthesis: where its form ends.
    static int EndOf(Token token, string text, List<Token> tokens) =>
        token.Kind != TokenKind.Open || token.Match < 0 ? token.End
        : token.Match < tokens.Count ? tokens[token.Match].End : text.Length;

    static List<Token> Read(string text)
    {
        try
        {
            return [.. Lexer.Read(TextSource.FromString(text)).Tokens.Where(token => token.Kind != TokenKind.End)];
        }
        catch (MalformedException)
        {
            return [];
        }
    }
}
