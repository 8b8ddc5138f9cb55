using System.Numerics;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Tests.Templates;

/// <summary>A template is a stranger's: it costs no more than its limits, whatever it does, and never the process.</summary>
public sealed class TemplateLimitsTests
{
    // Seconds of the default limits would be too many for each of these.
    static readonly TemplateLimits Small = new(Steps: 300_000, Chars: 1 << 20);

    static string Render(string template, TemplateLimits? limits = null, params KeyValuePair<string, object>[] variables) =>
        ChatTemplate.Parse(template).Render(variables, FixedClock.Cases, limits ?? Small);

    static TemplateException Fails(string template) => Assert.Throws<TemplateException>(() => Render(template));

    // What is too deep is too deep on every machine, however large its stacks are.
    static TemplateException FailsOnALargeStack(string template, TemplateLimits? limits = null)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(() => Render(template, limits)), 256 << 20);
        thread.Start();
        thread.Join();
        return Assert.IsType<TemplateException>(error);
    }

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[0]) %}{% for a in range(99999) %}{% set ns.l = ns.l + ns.l %}{% endfor %}")]
    [InlineData("{% set ns = namespace(n=2) %}{% for a in range(99999) %}{% set ns.n = ns.n * ns.n %}{% endfor %}")]
    [InlineData("{{ range(100000) | list | map('string') | map('upper') | join | length }}{{ range(100000) | sum }}{{ range(100000) | sort }}")]
    public void Stops_a_template_that_takes_too_many_steps(string template) => Assert.Equal("LimitError", Fails(template).Kind);

    [Theory]
    [InlineData("{{ 'x' * 999999999 }}")]
    [InlineData("{{ [1] * 999999999 }}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s.replace('x', 'xxx') %}{% endfor %}")]
    [InlineData("{{ 'x'.center(999999999) }}")]
    [InlineData("{{ 'x'.zfill(999999999) }}")]
    [InlineData("{{ '\t\t'.expandtabs(999999999) }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '{:999999999}'.format(1) }}")]
    [InlineData("{{ [1, [2]] | tojson(indent=999999999) }}")]
    [InlineData("{{ 'x\ny' | indent(999999999) }}")]
    [InlineData("{{ [1] | batch(999999999, 0) | list }}")]
    [InlineData("{{ '%.99999999f' % 1.5 }}")]
    [InlineData("{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(19) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ [ns.s, ns.s, ns.s] }}")]
    public void Refuses_a_value_or_an_output_that_is_too_long(string template) => Assert.Equal("LimitError", Fails(template).Kind);

    [Theory]
    [InlineData("{{ 2 ** 999999999 }}")]
    [InlineData("{{ 10 ** (10 ** 10) }}")]
    [InlineData("{{ 2 ** 99999 }}")]
    public void Refuses_an_integer_with_too_many_bits(string template) => Assert.Equal("LimitError", Fails(template).Kind);

    [Fact]
    public void Refuses_a_range_beyond_the_sandboxes_bound() => Assert.Equal("OverflowError", Fails("{{ range(100001) }}").Kind);

    [Fact]
    public void Refuses_a_range_whose_length_fits_no_integer() =>
        Assert.Equal("OverflowError", Fails("{{ range(0, 2 ** 200, 3) | length }}").Kind);

    [Theory]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro m() %}{% call m() %}{% endcall %}{{ caller }}{% endmacro %}{{ m() }}")]
    [InlineData("{% set l = [[1]] %}{% for x in l recursive %}{{ loop(l) }}{% endfor %}")]
    [InlineData("{% block b %}{{ self.b() }}{% endblock %}")]
    public void Stops_a_recursion_without_an_end(string template) => Assert.Equal("LimitError", Fails(template).Kind);

    [Theory]
    [InlineData("{{ ", "(", "1", ")", " }}")]
    [InlineData("{{ ", "[", "1", "]", " }}")]
    [InlineData("{{ ", "not ", "1", "", " }}")]
    [InlineData("{{ ", "-", "1", "", " }}")]
    [InlineData("{{ ", "{1:", "1", "}", " }}")]
    [InlineData("{{ x", "[x", "", "]", " }}")]
    [InlineData("{{ ", "1 if 1 else ", "1", "", " }}")]
    [InlineData("", "{% if 1 %}", "", "{% endif %}", "")]
    [InlineData("", "{% for x in 'a' %}", "", "{% endfor %}", "")]
    [InlineData("{% set ", "(", "a", ")", " = 1 %}")]
    public void Refuses_what_is_nested_beyond_the_stack(string before, string open, string middle, string close, string after)
    {
        const int Depth = 50_000;
        var template = before + string.Concat(Enumerable.Repeat(open, Depth)) + middle
            + string.Concat(Enumerable.Repeat(close, Depth)) + after;

        Assert.Equal("LimitError", FailsOnALargeStack(template).Kind);
    }

    [Theory]
    [InlineData("{{ x", ".a", " }}")]
    [InlineData("{{ 1", "|string", " }}")]
    [InlineData("{{ 'a'", ".upper()", " }}")]
    public void Refuses_a_chain_of_members_that_is_beyond_any_stack(string before, string link, string after)
    {
        var template = before + string.Concat(Enumerable.Repeat(link, 50_000)) + after;

        Assert.Equal("LimitError", FailsOnALargeStack(template).Kind);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "][0]")]
    [InlineData("not not ", "")]
    [InlineData("", "|string|int")]
    public void What_people_nest_is_far_from_the_bound(string open, string close) => Assert.Contains(
        Render($"{{{{ {string.Concat(Enumerable.Repeat(open, 60))}1{string.Concat(Enumerable.Repeat(close, 60))} }}}}"), (string[])["1", "True"]);

    [Theory]
    [InlineData("1", " + 1", "20001")]
    [InlineData("'a' is string", " and 1", "1")]
    [InlineData("''", " ~ ''", "")]
    [InlineData("1", " == 1", "True")]
    public void A_long_chain_of_operators_costs_no_depth(string first, string link, string result) =>
        Assert.Equal(result, Render($"{{{{ {first}{string.Concat(Enumerable.Repeat(link, 20_000))} }}}}"));

    [Theory]
    [InlineData("{{ ns.v }}")]
    [InlineData("{{ ns.v | tojson }}")]
    [InlineData("{{ ns.v == ns.w }}")]
    [InlineData("{{ ns.v < ns.w }}")]
    [InlineData("{{ {ns.t: 1} }}")]
    [InlineData("{{ ns.g | list }}")]
    public void A_value_nested_beyond_the_stack_is_refused_where_it_is_gone_through(string use)
    {
        const string Nest = "{% set ns = namespace(v=[], w=[], t=(), g=[1]) %}{% for a in range(100000) %}"
            + "{% set ns.v = [ns.v] %}{% set ns.w = [ns.w] %}{% set ns.t = (ns.t,) %}{% set ns.g = ns.g | map('string') %}{% endfor %}";

        Assert.Equal("LimitError", FailsOnALargeStack(Nest + use, new()).Kind);
    }

    [Fact]
    public void A_namespace_that_holds_itself_does_not_print() =>
        Assert.Equal("LimitError", Fails("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}").Kind);

    [Theory]
    [InlineData("{{ (2 ** 60000) | string }}")]
    [InlineData("{{ ('9' * 5000) | int }}")]
    public void Digits_of_huge_integers_are_never_computed(string template)
    {
        var exception = Record.Exception(() => Assert.Equal("0", Render(template)));

        Assert.True(exception is null or TemplateException, exception?.ToString());
    }

    [Fact]
    public void Integers_that_hash_alike_as_floats_do_not_slow_a_dict_down()
    {
        const string Template = "{% set ns = namespace(l=[]) %}{{ dict(keys) | length }}";
        var keys = new PyList([.. Enumerable.Range(0, 50_000).Select(i => (object)new PyTuple(BigInteger.Pow(10, 40) + i, true))]);

        Assert.Equal("50000", Render(Template, new(), KeyValuePair.Create("keys", (object)keys)));
    }

    [Theory]
    [InlineData("a\nb\n{{ x.y }}", 3)]
    [InlineData("a\n{% if true %}\n{{ 1 + 'a' }}{% endif %}", 3)]
    [InlineData("{# a\n#}\n{{ raise_exception('no') }}", 3)]
    [InlineData("\n\n{{ 'x' | nope }}", 3)]
    [InlineData("\n{% unknown %}", 2)]
    [InlineData("\n{% autoescape true %}{% endautoescape %}", 2)]
    [InlineData("\n{{ [1] | random }}", 2)]
    [InlineData("\n{% include 'other' %}", 2)]
    public void An_error_tells_its_line(string template, int line)
    {
        var error = Fails(template);

        Assert.Equal(line, error.Line);
        Assert.StartsWith($"line {line}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_bytes_are_a_template_or_an_error_with_a_kind()
    {
        var random = new Random(5);
        string[] pieces =
        [
            "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", "if", "else", "elif", "endif", "for", "in", "endfor", "set", "=", "x", "1",
            "1.5", "'a'", "\"", "\\", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "is", "not", "and", "or", "~", "*", "**", "/", "//", "%",
            "<", "==", "macro", "endmacro", "call", "endcall", "filter", "upper", "raw", "endraw", "\ud83d", "\ude00", "\u00e9", "recursive",
            "loop", "break", "with", "endwith", "block", "endblock", "namespace()", "range(3)", "tojson", "split()", "_", "0x", "e5", "\0",
        ];
        for (var i = 0; i < 20_000; i++)
        {
            var template = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => pieces[random.Next(pieces.Length)]));
            var exception = Record.Exception(() => Render(template));

            Assert.True(exception is null or TemplateException, $"{template}: {exception}");
        }
    }
}
