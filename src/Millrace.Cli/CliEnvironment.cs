namespace Millrace.Cli;

/// <summary>
/// What the commands take from the process's environment. Read once, in Program.cs; <paramref name="Find"/> answers a
/// variable's value, or null.
/// </summary>
sealed record CliEnvironment(Func<string, string?> Find)
{
    /// <summary>Base address of an OpenAI-compatible endpoint.</summary>
    public string? OpenAiBaseUrl => Value("OPENAI_BASE_URL");

    /// <summary>The model to ask there.</summary>
    public string? OpenAiModel => Value("OPENAI_MODEL");

    /// <summary>The key to ask with.</summary>
    public string? OpenAiApiKey => Value("OPENAI_API_KEY");

    /// <summary>Token for reading, and with <c>--post</c> writing, pull requests.</summary>
    public string? GitHubToken => Value("GITHUB_TOKEN");

    /// <summary>A further folder of model files.</summary>
    public string? ModelsFolder => Value("MILLRACE_MODELS");

    /// <summary>A hub of models other than the standard one.</summary>
    public string? Hub => Value("MILLRACE_HUB");

    /// <summary>Token for that hub; sent to no other host.</summary>
    public string? HubToken => Value("HF_TOKEN");

    /// <summary>The user's own folder of Millrace's: models, verdicts, agreements.</summary>
    public static string UserFolder => Path.Combine(
        // Also where it does not exist yet.
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "millrace");

    /// <summary>Where this user's things lie: the default data folder, models, verdicts.</summary>
    public string Folder { get; init; } = UserFolder;

    /// <summary>Where compiled modules lie.</summary>
    public string CodeFolder => Path.Combine(Folder, "code");

    /// <summary>Where the kill test kills: <c>point:operation:nth</c>, or <c>@file</c> that will hold it.</summary>
    public string? FailPoint => Value("MILLRACE_FAILPOINT");

    /// <summary>How long a node holds a run without renewing it, in milliseconds.</summary>
    public string? LeaseMs => Value("MILLRACE_LEASE_MS");

    /// <summary>Longest time that a write may be on its way, in milliseconds.</summary>
    public string? SendDeadlineMs => Value("MILLRACE_SEND_DEADLINE_MS");

    /// <summary>For the proof that the kill test sees it: writes in doubt are sent again without looking.</summary>
    public bool SkipsFind => Value("MILLRACE_SKIP_FIND") is not null;

    /// <summary>Where programs are found.</summary>
    public string? ProgramPath => Value("PATH");

    string? Value(string name) => Find(name) is { Length: > 0 } value ? value : null;
}
