using Millrace.Inference.Grammars;

namespace Millrace.Inference.Tests.Grammars;

/// <summary>What of JSON Schema becomes a grammar, and what is refused.</summary>
public sealed class SchemaGrammarTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}},"required":["a"]}""", "#/properties/a/not")]
    [InlineData("""{"type":"array","items":{"type":"string"},"uniqueItems":true}""", "#/uniqueItems")]
    [InlineData("""{"type":"array","items":{"type":"number","multipleOf":3}}""", "#/items/multipleOf")]
    [InlineData("""{"patternProperties":{"a":true}}""", "#/patternProperties")]
    [InlineData("""{"type":"string","pattern":"^(?=a)b$"}""", "#/pattern")]
    [InlineData("""{"type":"string","pattern":"^a$","maxLength":3}""", "#/maxLength")]
    [InlineData("""{"type":"strange"}""", "#/type")]
    [InlineData("""{"$ref":"https://example.com/x"}""", "#/$ref")]
    [InlineData("""{"$ref":"#/$defs/nowhere"}""", "#/$ref")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"minimum":3}]}""", "#/oneOf")]
    public void What_cannot_be_kept_is_refused_with_its_place(string schema, string place)
    {
        var error = Assert.Throws<InferenceException>(() => SchemaGrammar.Of(schema));

        Assert.Equal("invalid", error.Type);
        Assert.StartsWith(place, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("""{"enum":[]}""")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""")]
    [InlineData("""{"type":"integer","exclusiveMinimum":4,"exclusiveMaximum":5}""")]
    [InlineData("""{"type":"number","exclusiveMinimum":4,"maximum":4}""")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""")]
    [InlineData("""{"type":"array","minItems":1,"items":false}""")]
    [InlineData("""{"type":"object","required":["a"],"additionalProperties":false}""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""")]
    [InlineData("""{"type":"string","enum":[1,2]}""")]
    [InlineData("""{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}""")]
    [InlineData("""{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}""")]
    public void What_nobody_can_meet_is_an_error(string schema)
    {
        var error = Assert.Throws<InferenceException>(() => SchemaGrammar.Of(schema));

        Assert.Contains("nothing can meet the schema", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("3")]
    [InlineData("""{"$ref":"#"}""")]
    public void What_is_no_schema_is_an_error(string schema) =>
        Assert.Equal("invalid", Assert.Throws<InferenceException>(() => SchemaGrammar.Of(schema)).Type);

    [Theory]
    [InlineData(0, 9, "([0-9]{1})")]
    [InlineData(7, 12, "([7-9] | \"1\" ([0-2]))")]
    [InlineData(-3, -3, "(\"-\" (\"3\"))")]
    public void Ranges_of_whole_numbers_are_digits(int least, int most, string grammar) =>
        Assert.Equal(grammar, NumberRange.Integers(least, most));

    [Fact]
    public void A_schema_may_refer_to_itself_where_it_need_not() => Assert.Contains(
        "root ::= ",
        SchemaGrammar.Of("""{"type":"object","properties":{"name":{"type":"string"},"next":{"$ref":"#"}},"required":["name"]}"""),
        StringComparison.Ordinal);
}
