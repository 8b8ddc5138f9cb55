using Millrace.Cli;

// A request waits for this start: none of the other commands is made for it.
if (args is [InferenceWorkerCommand.Name, var socket]) return await InferenceWorkerCommand.RunAsync(socket);

return await MillraceCommand.RunAsync(
    args, Screen.OfProcess(), new CliEnvironment(Environment.GetEnvironmentVariable));
