namespace Millrace.Wasm.Runtime;

/// <summary>
/// A system that refuses or misbehaves, so that tests show what becomes of it. Only they can ask for one.
/// </summary>
enum PlatformFault
{
    /// <summary>None: as everywhere but in those tests.</summary>
    None,
    /// <summary>The system makes no files in memory.</summary>
    RefusesMemoryFiles,
}
