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

    [Fact]
    public void The_place_of_a_contradiction_is_named()
    {
        var error = Assert.Throws<InferenceException>(() => SchemaGrammar.Of(
            """
            {"type":"object","required":["a"],
             "properties":{"b":{"anyOf":[false,{"type":"null"}]},
             "a":{"type":"array","minItems":1,"items":{"type":"integer","minimum":5,"maximum":4}}}}
            """));

        Assert.Equal("#/properties/a/items: nothing can meet the schema here", error.Message);
        Assert.True(error.IsOfFormat);
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

    static string Document(IEnumerable<string> definitions) =>
        $"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{string.Join(',', definitions)}}}}}";

    [Theory]
    [InlineData("{\"$ref\":\"#/$defs/NEXT\",\"type\":\"object\"}")]
    [InlineData("{\"allOf\":[{\"$ref\":\"#/$defs/NEXT\"}],\"description\":\"x\"}")]
    [InlineData("{\"anyOf\":[{\"$ref\":\"#/$defs/NEXT\"},{\"$ref\":\"#/$defs/NEXT\"}]}")]
    [InlineData("{\"$ref\":\"#/$defs/NEXT\"}")]
    public void A_schema_to_which_many_ways_lead_is_written_once(string part)
    {
        // Two ways from each to the next: together as many as there are numbers of 28 bits.
        var parts = Enumerable.Range(0, 28).Select(i =>
        {
            var next = part.Replace("NEXT", $"d{i + 1}", StringComparison.Ordinal);
            return $$"""
                "d{{i}}":{"type":"object","properties":{"a":{{next}},"b":{{next}}},"required":["a","b"],"additionalProperties":false}
                """;
        });

        var grammar = SchemaGrammar.Of(Document(parts.Append("\"d28\":{\"type\":\"object\"}")));

        Assert.InRange(grammar.Length, 1000, 20_000);
    }

    [Fact]
    public void Parts_that_double_as_they_are_merged_are_merged_once()
    {
        var parts = Enumerable.Range(0, 30).Select(static i =>
            $$"""  "d{{i}}":{"allOf":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]}  """);

        var grammar = SchemaGrammar.Of(Document(parts.Append("\"d30\":{\"enum\":[7]}")));

        Assert.Equal("root ::= \"7\"\n", grammar);
    }

    [Fact]
    public void Parts_that_refer_to_each_other_in_turn_come_to_an_end() => Assert.Contains(
        "root ::= ",
        SchemaGrammar.Of("""
            {"$ref":"#/$defs/a","$defs":{
              "a":{"properties":{"n":{"$ref":"#/$defs/a"}},"allOf":[{"properties":{"n":{"$ref":"#/$defs/b"}}}]},
              "b":{"properties":{"n":{"$ref":"#/$defs/a"}}}}}
            """),
        StringComparison.Ordinal);

    [Fact]
    public void Thousands_of_properties_are_no_tower_of_calls()
    {
        var properties = string.Join(',', Enumerable.Range(0, 3000).Select(static i => $"\"p{i}\":{{\"type\":\"null\"}}"));

        var grammar = SchemaGrammar.Of($"{{\"type\":\"object\",\"properties\":{{{properties}}},\"required\":[\"p2999\"]}}");

        Assert.Contains("p2999", grammar, StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_of_references_is_no_tower_of_calls()
    {
        var parts = Enumerable.Range(0, 20_000).Select(static i => $"\"d{i}\":{{\"$ref\":\"#/$defs/d{i + 1}\"}}");

        var error = Assert.Throws<InferenceException>(
            () => SchemaGrammar.Of(Document(parts.Append("\"d20000\":true"))));

        Assert.Contains("references without an end", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"object","unevaluatedProperties":false,"properties":{"a":{"const":1}}}""", "\"a\"")]
    [InlineData("""{"type":"object","unevaluatedProperties":false}""", "{}")]
    [InlineData("""{"unevaluatedProperties":false,"anyOf":[{"properties":{"a":{"const":1}}},{"properties":{"b":{"const":2}}}]}""", "b")]
    public void What_no_part_knows_is_not_written_where_it_is_shut_out(string schema, string word)
    {
        var grammar = SchemaGrammar.Of(schema);

        Assert.Contains(word, grammar.Replace("\\\"", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("bfnrt", grammar, StringComparison.Ordinal);
    }

    [Fact]
    public void One_parts_unevaluated_properties_shut_out_those_of_another()
    {
        var error = Assert.Throws<InferenceException>(() => SchemaGrammar.Of(
            """{"allOf":[{"properties":{"a":{}},"unevaluatedProperties":false},{"properties":{"b":{}}}]}"""));

        Assert.Contains("shuts out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dot_stands_for_no_end_of_a_line()
    {
        var grammar = SchemaGrammar.Of("""{"type":"string","pattern":"^.$"}""");

        Assert.Contains(@"\x7F\u2028\u2029]", grammar, StringComparison.Ordinal);
        Assert.Contains("[\"\\\\/bft]", grammar, StringComparison.Ordinal);
        Assert.DoesNotContain("bfnrt", grammar, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_white_space_is_none_of_any_kind()
    {
        var grammar = SchemaGrammar.Of("""{"type":"string","pattern":"^[^\\s]$"}""");

        Assert.Contains(@"\xA0-\xA0", grammar, StringComparison.Ordinal);
        Assert.Contains(@"\u2000-\u200A", grammar, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_may_refer_to_itself_where_it_need_not() => Assert.Contains(
        "root ::= ",
        SchemaGrammar.Of("""{"type":"object","properties":{"name":{"type":"string"},"next":{"$ref":"#"}},"required":["name"]}"""),
        StringComparison.Ordinal);
}
