namespace Millrace.Sandbox.Protocol;

/// <summary>What a message between host and worker says. Numbers are those on the wire.</summary>
enum Verb : byte
{
    /// <summary>Either way: the next piece of a message that does not fit one frame; its last piece has its verb.</summary>
    Part = 1,

    /// <summary>Worker, first: the protocol's version.</summary>
    Hello = 2,
    /// <summary>Host: bytes that later runs name by their hash; a module is compiled and answered.</summary>
    Load = 3,
    /// <summary>Worker: a module is compiled, or why not.</summary>
    Loaded = 4,
    /// <summary>Host: execute a run, with its journal.</summary>
    Run = 5,
    /// <summary>Worker: the guest started an operation.</summary>
    Start = 6,
    /// <summary>Host: the result of an operation.</summary>
    Result = 7,
    /// <summary>Worker: the guest learned something, or cancelled an operation.</summary>
    Deliver = 8,
    /// <summary>Worker: the guest wrote.</summary>
    Output = 9,
    /// <summary>Worker: the guest blocks until one of these operations is answered; it gives its slot back.</summary>
    Wait = 10,
    /// <summary>Worker: the guest wants to go on without such an answer, and needs a slot.</summary>
    Resume = 11,
    /// <summary>Host: there is a slot for it.</summary>
    Go = 12,
    /// <summary>Host: end a run.</summary>
    Stop = 13,
    /// <summary>Worker: a run has ended; its last message.</summary>
    Ended = 14,
    /// <summary>Worker: a run was lost, for what the worker met; its last message.</summary>
    Failed = 15,
    /// <summary>Worker: something a person should know.</summary>
    Log = 16,
    /// <summary>Host: say how large you are. Worker: bytes of memory.</summary>
    Stats = 17,
    /// <summary>Host: no more runs come; end.</summary>
    Drain = 18,
}
