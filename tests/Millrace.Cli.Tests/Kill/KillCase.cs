using Millrace.Flows;

namespace Millrace.Cli.Tests.Kill;

/// <summary>Where the server is killed.</summary>
/// <param name="Point">A failpoint, or <see cref="Received"/>.</param>
/// <param name="Operation">As failpoints name it: <c>github.get_patch</c>, <c>github.get_patch/http.fetch</c>.</param>
sealed record KillCase(string Point, string Operation)
{
    /// <summary>The far side has applied the request and its reply is not sent yet.</summary>
    public const string Received = "received";

    const string Fetch = "/http.fetch";
    public const string Chat = "openai.chat" + Fetch;

    static readonly string[] Points = ["before-intent", "after-intent", Received, "after-reply", "after-commit"];

    /// <summary>
    /// Every point of every operation of a run, those of its child runs too: by the lives of a server. Points of one
    /// operation share a life, each with a review of its own that stands there when the server is killed.
    /// </summary>
    public static IEnumerable<KillCase[]> Lives(RunDetail run) =>
        from operation in Operations(run).DistinctBy(operation => operation.Name)
        from cases in Points.Where(point => point != Received || IsFetch(operation.Name))
            .Select(point => new KillCase(point, operation.Name)).Chunk(SharersMax(operation.Name, operation.Kind))
        select cases;

    static IEnumerable<(string Name, OperationKind Kind)> Operations(RunDetail run) =>
        from operation in run.Operations
        from entry in operation.Children.SelectMany(child => child.Operations.Select(inner => (
            $"{child.Summary.Flow}.{child.Summary.Operation}/{inner.Name}", inner.Kind)))
            .Prepend((operation.Name, operation.Kind))
        select entry;

    static int SharersMax(string operation, OperationKind kind) => kind switch
    {
        // Answered on the guest's thread, and two guests may compute at one time.
        OperationKind.Local => 2,
        // What was sent cannot be held for longer than the send deadline.
        OperationKind.Write when IsFetch(operation) => 1,
        _ => Points.Length,
    };

    static bool IsFetch(string operation) => operation.EndsWith(Fetch, StringComparison.Ordinal);

    /// <summary>Between the sending of a paid request and the commit of its result: it is asked again.</summary>
    public bool AsksTwice => Operation == Chat && Point is Received or "after-reply";

    /// <summary>
    /// The caller's result is in hand and not committed; the child's own row may have been, by a commit that came along.
    /// </summary>
    public bool MayAskTwice => Operation == "llm.chat" && Point == "after-reply";

    /// <summary>A <c>repeat: safe</c> write that was on its way may be sent again.</summary>
    public bool MayUpdateTwice => Operation.StartsWith("github.update_comment", StringComparison.Ordinal);

    /// <summary>Whether this request of the far side is the operation's, for <see cref="Received"/>.</summary>
    public bool IsRequest(string method, string path, string accept)
    {
        var isDiff = accept.Contains("diff", StringComparison.Ordinal);
        return (method, Operation[..^Fetch.Length]) switch
        {
            ("POST", "github.create_comment") => path.EndsWith("/comments", StringComparison.Ordinal),
            ("PATCH", "github.update_comment") => true,
            ("GET", "github.list_comments") => path.EndsWith("/comments", StringComparison.Ordinal),
            ("GET", "github.list_commits") => path.EndsWith("/commits", StringComparison.Ordinal),
            ("GET", "github.list_files") => path.EndsWith("/files", StringComparison.Ordinal),
            ("GET", "github.get_patch") => isDiff,
            ("GET", "github.get_pull_request") => !isDiff && IsPull(path),
            _ => false,
        };
    }

    static bool IsPull(string path) => path.Split('/') is [.., "pulls", _];

    public override string ToString() => $"{Point} {Operation}";
}
