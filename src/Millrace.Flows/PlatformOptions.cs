using System.Collections.Immutable;
using System.Security.Cryptography;
using Millrace.Nn;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Flows;

/// <summary>How a platform is opened.</summary>
public sealed record PlatformOptions
{
    /// <summary>Holds database, lock and connections; made when absent.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Chance: so many unpredictable bytes.</summary>
    public Func<int, byte[]> Randomness { get; init; } = RandomNumberGenerator.GetBytes;

    /// <summary>Compiles modules in this process; the platform makes one when absent. Not used with workers.</summary>
    public Engine? Engine { get; init; }

    /// <summary>The worker processes that guests run in; null: they run in this process.</summary>
    public WorkerOptions? Workers { get; init; }

    /// <summary>
    /// Digests (<see cref="Package.Digest"/>) of the integrations that share a worker: those that come with the
    /// program. Every other package has a worker of its own.
    /// </summary>
    public ImmutableHashSet<string> SharedPackages { get; init; } = [];

    /// <summary>The models of this machine; null: none.</summary>
    public ILanguageModel? LanguageModel { get; init; }

    /// <summary>The model of a request that names none; null: the first that passed the check.</summary>
    public string? PreferredModel { get; init; }

    /// <summary>What <c>models check</c> found for a remote model (<c>host model</c>); null: not checked.</summary>
    public Func<string, ModelVerdict?> RemoteVerdict { get; init; } = _ => null;

    /// <summary>The engines and models behind <c>nn.*</c>.</summary>
    public NnOptions Nn { get; init; } = new();

    /// <summary>How long a node holds a run without renewing it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that a write may be on its way.</summary>
    public TimeSpan SendDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether runs are executed. False opens the folder to look and to change what is deployed: what is under way
    /// stays as it is.
    /// </summary>
    public bool ExecutesRuns { get; init; } = true;

    /// <summary>How many guests compute at one time; those that wait do not count.</summary>
    public int Slots { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>How many runs are under way at one time.</summary>
    public int RunsMax { get; init; } = 64;

    /// <summary>
    /// Called at <c>before-intent</c>, <c>after-intent</c>, <c>after-reply</c> and <c>after-commit</c> of every
    /// operation, with the operation's name; for the kill test.
    /// </summary>
    public Action<string, string>? FailPoint { get; init; }

    /// <summary>For the proof that the kill test sees it: writes in doubt are sent again without looking.</summary>
    public bool SkipsFind { get; init; }

    /// <summary>Takes one sentence about something a person should know.</summary>
    public Action<string> Notice { get; init; } = _ => { };
}
