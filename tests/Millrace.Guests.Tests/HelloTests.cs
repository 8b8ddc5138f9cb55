using System.Text;
using Millrace.Sandbox;

namespace Millrace.Guests.Tests;

public class HelloTests
{
    [Theory]
    [InlineData("World", "Hello, World! ")]
    [InlineData("", "Hello, stranger! ")]
    [InlineData("Zoë\n", "Hello, Zoë! ")]
    public void Greets_who_is_named_in_the_body(string body, string greeting)
    {
        var run = GuestRun.Of("hello", Encoding.UTF8.GetBytes(body), _ => throw new InvalidOperationException("asks nothing"));

        Assert.Equal((RunEndKind.Exited, 0), (run.End.Kind, run.End.ExitCode));
        Assert.StartsWith(greeting, run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_source_is_short_enough_to_teach() =>
        Assert.True(File.ReadAllLines(Path.Combine(Folders.Guests, "hello", "src", "main.rs")).Length < 60);
}
