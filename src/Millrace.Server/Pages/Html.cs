using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Millrace.Server.Pages;

/// <summary>
/// HTML in the making. Whatever stands in a hole of an interpolated string is escaped, so that no text of an event, a
/// guest or a model can become markup.
/// </summary>
sealed class Html
{
    readonly StringBuilder _text = new();

    public Html Add([InterpolatedStringHandlerArgument("")] Markup markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>Markup that has been escaped already.</summary>
    public Html Add(Html part)
    {
        _text.Append(part._text);
        return this;
    }

    public override string ToString() => _text.ToString();

    [InterpolatedStringHandler]
    public readonly ref struct Markup
    {
        readonly StringBuilder _text;

        // The compiler calls it with these; only the text to append to is of use.
        public Markup(int literalLength, int formattedCount, Html html)
        {
            _text = html._text;
            _text.EnsureCapacity(_text.Length + literalLength + 16 * formattedCount);
        }

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

        public void AppendFormatted(long number) => _text.Append(number);

        public void AppendFormatted(Html part) => _text.Append(part._text);
    }
}
