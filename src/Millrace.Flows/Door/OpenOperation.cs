using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>What a person decides about a write whose fate nobody knows; a null result: it was not applied.</summary>
sealed record Resolution(OperationResult? Result);

/// <summary>An operation between its start and its result.</summary>
sealed class OpenOperation(long sequence, OperationRequest request, OperationTarget target, string key) : IDisposable
{
    readonly Lock _lock = new();
    readonly CancellationTokenSource _break = new();
    readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource<Resolution> _resolution = new(TaskCreationOptions.RunContinuationsAsynchronously);
    bool _isSent;
    bool _isBroken;

    public long Sequence { get; } = sequence;
    public OperationRequest Request { get; } = request;
    public OperationTarget Target { get; } = target;
    public string Key { get; } = key;
    public required OperationKind Kind { get; init; }
    public required long StartedNs { get; init; }

    /// <summary>Its row of an earlier attempt at the run.</summary>
    public OperationRow? Former { get; init; }
    public int Asks { get; set; }
    public int Rounds { get; set; }
    public long Tokens { get; set; }
    public long Reserved { get; set; }
    public int Children { get; set; }

    /// <summary>Whether it stays in the journal as it is, for the next attempt at the run.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Whether it waits for a person.</summary>
    public bool IsUnknown { get; set; }

    /// <summary>The work on it.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>Cancelled when it is broken off.</summary>
    public CancellationToken Broken => _break.Token;

    /// <summary>Ends when nobody waits for its result any more.</summary>
    public Task Ending => _ending.Task;

    public bool IsEnding => _ending.Task.IsCompleted;

    /// <summary>Ends when a person has decided.</summary>
    public Task<Resolution> Resolved => _resolution.Task;

    /// <summary>Whether a byte of the present attempt may have left.</summary>
    public bool IsSent
    {
        get { lock (_lock) return _isSent; }
    }

    public void Resolve(Resolution resolution) => _resolution.TrySetResult(resolution);

    /// <summary>When its first byte left last.</summary>
    public DateTimeOffset? SentAt { get; private set; }

    /// <summary>Nobody waits any more: what is open is settled, nothing is sent again.</summary>
    public void End() => _ending.TrySetResult();

    /// <summary>Nothing more is started: breaks it off, unless it is a write that was sent, or may have been.</summary>
    public void Stop()
    {
        End();
        lock (_lock)
        {
            if (_isSent) return;
            _isBroken = true;
        }
        _break.Cancel();
    }

    /// <summary>Breaks it off whatever it is, as a crash or a planned stop does.</summary>
    public void Abandon()
    {
        IsAbandoned = true;
        End();
        lock (_lock) _isBroken = true;
        _break.Cancel();
    }

    /// <summary>The first byte is about to leave. False: it may not.</summary>
    public bool TrySend(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_isBroken) return false;
            if (Kind == OperationKind.Write) _isSent = true;
            SentAt = now;
            return true;
        }
    }

    /// <summary>It surely was not applied, or a former attempt may have sent it.</summary>
    public void MarkSent(bool isSent)
    {
        lock (_lock) _isSent = isSent;
    }

    public void Dispose() => _break.Dispose();
}
