namespace Millrace.Flows;

/// <summary>What an operation does to the world; it fixes when its journal row is committed.</summary>
public enum OperationKind : byte
{
    /// <summary>Changes or reads the platform's own store; change and row are one transaction that may lag.</summary>
    Local = 0,
    /// <summary>Reads outside; may be asked again. The row may lag 10 ms.</summary>
    Read = 1,
    /// <summary>Costs tokens or money; the result is committed before the guest sees it.</summary>
    Paid = 2,
    /// <summary>Changes the world; intent committed before the first byte, result before the guest sees it.</summary>
    Write = 3,
}
