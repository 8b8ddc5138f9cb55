using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>The thread that a guest computes on.</summary>
static class GuestThread
{
    // The engine's guest frames live on this stack; only what is used takes memory.
    const int StackBytes = 16 << 20;

    /// <summary>Executes once there is a slot; <paramref name="failed"/> takes what the sandbox never throws.</summary>
    public static Task<RunEnd> RunAsync(Node node, string name, IGuest guest, Action<Exception> failed)
    {
        var done = new TaskCompletionSource<RunEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => done.TrySetResult(Execute(node, guest, failed)), StackBytes)
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return done.Task;
    }

    static RunEnd Execute(Node node, IGuest guest, Action<Exception> failed)
    {
        node.Slots.Wait();
        try
        {
            return guest.Execute();
        }
        // The edge of a run: the sandbox never throws for what a guest does, so the host is short of something.
        catch (Exception exception)
        {
            failed(exception);
            return new(RunEndKind.Stopped, 0, "");
        }
        finally
        {
            node.Slots.Release();
        }
    }
}
