using Millrace.Cli;

return await MillraceCommand.RunAsync(
    args, Screen.OfProcess(), new CliEnvironment(Environment.GetEnvironmentVariable));
