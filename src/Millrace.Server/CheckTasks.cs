using System.Collections.Immutable;

namespace Millrace.Server;

/// <summary>One question of the check.</summary>
/// <param name="Diff">The change it is about.</param>
/// <param name="Question">What is asked; it says what form the answer has.</param>
/// <param name="Answer">The right answer; letter case, quotes and surrounding words do not matter.</param>
/// <param name="Wrong">Answers that, when they stand beside the right one, make it a guess.</param>
sealed record CheckTask(string Diff, string Question, string Answer, ImmutableArray<string> Wrong);

/// <summary>
/// Ten tasks about small changes, each with one right answer: whoever writes prose about a diff must be able to read one.
/// </summary>
static class CheckTasks
{
    const string Retry = """
        --- a/net/client.py
        +++ b/net/client.py
        @@ -10,6 +10,7 @@ def fetch(url):
             for attempt in range(3):
                 try:
        -            return get(url, timeout=5)
        +            return get(url, timeout=30)
        +            log.info("fetched")
                 except TimeoutError:
                     wait(attempt)
        """;

    const string Guard = """
        --- a/src/orders.js
        +++ b/src/orders.js
        @@ -4,8 +4,5 @@ export function cancelOrder(user, order) {
        -  if (order.ownerId !== user.id) {
        -    throw new Forbidden();
        -  }
           order.status = "cancelled";
           save(order);
        """;

    const string Rename = """
        --- a/lib/store.go
        +++ b/lib/store.go
        @@ -1,5 +1,5 @@
         package lib
        -func Load(path string) ([]byte, error) {
        +func ReadAll(path string) ([]byte, error) {
             return os.ReadFile(path)
         }
        """;

    const string Limit = """
        --- a/Config.cs
        +++ b/Config.cs
        @@ -2,4 +2,6 @@ class Config
        -    public int MaxUsers = 40;
        +    public int MaxUsers = 250;
        +    public int MaxGroups = 12;
        +    public bool Verbose = false;
             public string Name = "main";
        """;

    public static readonly ImmutableArray<CheckTask> All =
    [
        new(Retry, "Which file is changed? Answer with its path.", "net/client.py", []),
        new(Retry, "What is the timeout after the change? Answer with a number.", "30", ["5", "3"]),
        new(Retry, "Which line of code is never reached after the change? Answer with that line.", "log.info(\"fetched\")", []),
        new(Guard, "How many lines are removed? Answer with a number.", "3", ["2", "4", "5", "8"]),
        new(Guard,
            "What does the change remove? Answer with one letter: A a log message, B an error message's text, "
            + "C a check of who owns the order, D a test.",
            "c", ["a", "b", "d"]),
        new(Guard,
            "Who can cancel an order after the change? Answer with one word: owner, anyone or nobody.",
            "anyone", ["owner", "nobody"]),
        new(Rename, "What is the new name of the function? Answer with the name.", "ReadAll", ["Load"]),
        new(Rename,
            "Code in another package calls lib.Load. What happens to it after the change? Answer with one letter: "
            + "A it runs faster, B it no longer compiles, C nothing.",
            "b", ["a", "c"]),
        new(Limit, "What was MaxUsers before the change? Answer with a number.", "40", ["250", "12"]),
        new(Limit, "How many fields does the change add? Answer with a number.", "2", ["1", "3", "4", "250", "12"]),
    ];
}
