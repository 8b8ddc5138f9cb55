namespace Millrace.Wasm.Verification;

/// <summary>
/// A rule that code is held to, so that tests can leave it out and show that a faulty image then passes: each rule has
/// one that no other refuses. Only they can: <see cref="EngineOptions.Unproven"/>. What an operand is has no rule of its
/// own, for nothing could be said of code that takes one thing for another.
/// </summary>
enum ProofRule
{
    /// <summary>None: as everywhere but in those tests.</summary>
    None,

    /// <summary>Accesses of memory are checked for as many bytes.</summary>
    Accesses,
    /// <summary>Atomic accesses are aligned.</summary>
    Alignment,
    /// <summary>Loops look for an interrupt.</summary>
    Interrupts,
    /// <summary>Functions that call look at the stack.</summary>
    StackLook,
    /// <summary>Fuel only falls.</summary>
    Fuel,
    /// <summary>No more operands than the method says.</summary>
    Depth,
    /// <summary>No larger a frame than the stack has room for.</summary>
    FrameSize,
    /// <summary>Locals are written before they are read.</summary>
    Assignment,
    /// <summary>Functions are called by their type.</summary>
    CallTypes,
    /// <summary>Objects have the fields that are accessed.</summary>
    Fields,
    /// <summary>References have the type that is wanted.</summary>
    References,
    /// <summary>Globals are accessed as what they are.</summary>
    Globals,
    /// <summary>What cannot be set is not.</summary>
    Constants,
    /// <summary>The stack is empty where paths meet or part.</summary>
    EmptyStack,
    /// <summary>Protected blocks are entered and left as such.</summary>
    Regions,
    /// <summary>All results are written.</summary>
    Results,
}
