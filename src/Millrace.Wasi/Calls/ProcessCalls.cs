using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary><c>proc_*</c> and <c>sched_yield</c>.</summary>
static class ProcessCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("proc_exit", "i", static (_, _, a) => throw new ProcExitException((int)a.U32(0))),
        // A guest has no signals: nobody could send or catch one.
        new("proc_raise", "i", static (_, _, _) => Errno.Notsup),
        new("sched_yield", "", static (_, _, _) => Errno.Success),
    ];
}
