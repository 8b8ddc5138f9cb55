using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>What an integration's guest answered: one line of JSON, the head, and then the raw body.</summary>
/// <param name="Result">The answer, done or an error; null when there is no usable one.</param>
/// <param name="Head">The answer's head; empty when there is no usable one.</param>
/// <param name="Fault">Why there is no usable one; empty when there is.</param>
sealed record ChildAnswer(OperationResult? Result, JsonObject Head, string Fault)
{
    public static ChildAnswer Of(
        IntegrationOperation operation, RunEnd end, ReadOnlyMemory<byte> output, TimeProvider time)
    {
        if (end.Kind == RunEndKind.TimedOut) return Faulty("The integration ran out of time.");
        if (end.Kind != RunEndKind.Exited || end.ExitCode is not (0 or 1))
            return Faulty($"The integration failed ({end.Kind}, exit code {end.ExitCode}).");
        var line = output.Span.IndexOf((byte)'\n');
        if (line < 0 || JsonText.Object(output[..line]) is not { } head)
            return Faulty("The integration's answer has no head.");
        if (end.ExitCode == 1)
        {
            return head["type"]?.GetValueKind() == JsonValueKind.String
                ? new(new(ResultState.Error, output[..line], default, Clock.Ns(time)), head, "")
                : Faulty("The integration's answer is no problem.");
        }
        return operation.CheckResult(output[..line]) is { } fault
            ? Faulty($"The integration's answer does not fit its schema: {fault}")
            : new(new(ResultState.Done, output[..line], output[(line + 1)..], Clock.Ns(time)), head, "");
    }

    static ChildAnswer Faulty(string fault) => new(null, [], fault);
}
