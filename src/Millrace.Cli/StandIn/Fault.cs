namespace Millrace.Cli.StandIn;

/// <summary>How the stand-in misbehaves on one request.</summary>
enum FaultKind
{
    /// <summary>Answers <see cref="Fault.Status"/> and applies nothing.</summary>
    Refuse,
    /// <summary>Applies the request, then answers <see cref="Fault.Status"/>.</summary>
    ApplyThenAnswer,
    /// <summary>Applies the request, then cuts the connection.</summary>
    ApplyThenReset,
    /// <summary>Cuts the connection before applying anything.</summary>
    Reset,
    /// <summary>Applies the request, then answers nothing until the client goes.</summary>
    ApplyThenHang,
}

/// <summary>One misbehaviour.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Status">HTTP status, where one is answered.</param>
/// <param name="Headers">Extra headers, such as <c>Retry-After</c>.</param>
sealed record Fault(FaultKind Kind, int Status = 502, params (string Name, string Value)[] Headers);
