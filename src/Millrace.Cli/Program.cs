using System.CommandLine;
using Millrace.Cli;

var screen = Screen.OfProcess();
var environment = new CliEnvironment(Environment.GetEnvironmentVariable);
var root = new RootCommand("Millrace runs LLM agents as WebAssembly functions, each in a sandbox of its own.")
{
    DemoCommand.Create(screen, environment, TimeProvider.System),
    ReviewCommand.Create(screen, environment, TimeProvider.System),
    NewCommand.Create(screen),
    RunCommand.Create(screen),
    WastCommand.Create(screen),
    InferenceWorkerCommand.Create(),
};
try
{
    return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (CommandException e)
{
    screen.Note($"millrace: {e.Message}");
    return e.ExitCode;
}
catch (OperationCanceledException)
{
    return 130;
}
