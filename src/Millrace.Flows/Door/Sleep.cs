using System.Text.Json;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary><c>door.sleep</c>: a read that waits. Asked again after a crash it ends when it would have ended.</summary>
static class Sleep
{
    const long MsMax = 7L * 24 * 60 * 60 * 1000;

    public static readonly BuiltIn BuiltIn = new("door.sleep", _ => OperationKind.Read, ExecuteAsync);

    static async Task<OperationOutcome> ExecuteAsync(
        OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        if (JsonText.Object(request.Head)?["ms"] is not { } field
            || field.GetValueKind() != JsonValueKind.Number
            || !field.AsValue().TryGetValue(out long ms) || ms is < 0 or > MsMax)
        {
            return new(ErrorResult.Of(context.Time, ErrorResult.Invalid, $"door.sleep needs ms from 0 to {MsMax}."));
        }
        var until = DateTimeOffset.UnixEpoch.AddTicks((context.StartedNs / 100) + (ms * TimeSpan.TicksPerMillisecond));
        var wait = until - context.Time.GetUtcNow();
        if (wait > TimeSpan.Zero) await Task.Delay(wait, context.Time, cancel);
        return new(new(ResultState.Done, "{}"u8.ToArray(), default, Clock.Ns(context.Time)));
    }
}
