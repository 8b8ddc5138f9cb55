using System.CommandLine;
using Millrace.Cli;

var root = new RootCommand("Millrace runs LLM agents as WebAssembly functions.")
{
    InferenceWorkerCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
