using System.Text.Json.Nodes;
using Millrace.Cli.Reviewing;

namespace Millrace.Cli.Tests.Reviews;

public class ReviewTextTests
{
    [Fact]
    public void Marks_are_hidden_and_a_quoted_comment_of_the_patch_is_not()
    {
        const string Comment = "## Code review\n\n```\n+<!-- old -->\n+ <!-- millrace: a quote -->\n```\n\n"
            + "<!-- millrace-review {\"v\":1,\n\"head\":\"x\"} -->\n\n<!-- millrace:4f -->";

        Assert.Equal(
            "## Code review\n\n```\n+<!-- old -->\n+ <!-- millrace: a quote -->\n```", ReviewText.Visible(Comment));
    }

    [Theory]
    [InlineData("high", true)]
    [InlineData("critical", false)]
    public void A_severity_fails_at_itself_and_above(string failOn, bool fails)
    {
        var document = JsonNode.Parse("""{"findings":[{"severity":"low"},{"severity":"high"}]}""")!.AsObject();

        Assert.Equal(fails, ReviewText.Fails(document, failOn));
    }
}
