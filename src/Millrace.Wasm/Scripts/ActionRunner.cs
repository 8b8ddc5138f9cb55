namespace Millrace.Wasm.Scripts;

/// <summary>Calls functions, reads globals, and checks what comes of it.</summary>
sealed class ActionRunner(ScriptScope scope)
{
    /// <summary>Does something for its effect.</summary>
    public Outcome Do(ScriptAction action)
    {
        try
        {
            return Perform(action, out _, out _);
        }
        catch (Exception fault) when (fault is TrapException or GuestException)
        {
            return Outcome.Failed($"{Describe(action)} {Ended(fault)}");
        }
    }

    /// <summary>
    /// Checks an assertion. One that fails on an instance whose memory, table or globals a missing module would have
    /// written to is excluded for what that module lacks.
    /// </summary>
    public Outcome Check(ActionAssertion assertion)
    {
        var outcome = CheckAlone(assertion);
        if (outcome.Failure is null || scope.Instance(assertion.Action.Instance).Instance is not { } instance)
            return outcome;
        return scope.MissingOf(instance) is { } reason ? Outcome.Excluded(reason) : outcome;
    }

    Outcome CheckAlone(ActionAssertion assertion)
    {
        try
        {
            var blocked = Perform(assertion.Action, out var values, out var types);
            if (blocked != Outcome.Passed) return blocked;
            return assertion.Kind == AssertionKind.Return
                ? Compare(assertion, values, types)
                : Outcome.Failed($"{Describe(assertion.Action)} returned; expected {Expectation(assertion)}");
        }
        catch (Exception fault) when (fault is TrapException or GuestException)
        {
            return IsExpected(assertion, fault)
                ? Outcome.Passed
                : Outcome.Failed(
                    $"{Describe(assertion.Action)} {Ended(fault)}; expected {Expectation(assertion)}");
        }
    }

    static string Ended(Exception fault) => fault is TrapException ? $"trapped: {fault.Message}" : fault.Message;

    static bool IsExpected(ActionAssertion assertion, Exception fault) => assertion.Kind switch
    {
        AssertionKind.Trap or AssertionKind.Exhaustion =>
            fault is TrapException trap && Reasons.Match(trap, assertion.Message),
        AssertionKind.Exception => fault is GuestException,
        _ => false,
    };

    Outcome Perform(ScriptAction action, out ReadOnlySpan<Value> values, out ReadOnlySpan<ValueType> types)
    {
        values = default;
        types = default;
        var (instance, blocked) = scope.Instance(action.Instance);
        if (instance is null) return blocked;
        if (action.Arguments is not { } arguments)
        {
            if (instance.FindGlobal(action.Name) is not { } global)
                return Outcome.Failed($"no global \"{action.Name}\" is exported");
            values = new[] { global.Value };
            types = new[] { global.Type };
            return Outcome.Passed;
        }

        if (instance.FindFunction(action.Name) is not { } function)
            return Outcome.Failed($"no function \"{action.Name}\" is exported");
        var given = new Value[arguments.Length];
        for (var i = 0; i < given.Length; i++) given[i] = arguments[i].ToValue();
        values = function.Call(given);
        types = function.Type.Results.AsSpan();
        return Outcome.Passed;
    }

    static Outcome Compare(ActionAssertion assertion, ReadOnlySpan<Value> values, ReadOnlySpan<ValueType> types)
    {
        var isEqual = values.Length == assertion.Expected.Length;
        for (var i = 0; isEqual && i < values.Length; i++) isEqual = assertion.Expected[i].Matches(values[i], types[i]);
        return isEqual
            ? Outcome.Passed
            : Outcome.Failed(
                $"{Describe(assertion.Action)} gave {Describe(values, types)}; expected {Expectation(assertion)}");
    }

    static string Expectation(ActionAssertion assertion) => assertion.Kind switch
    {
        AssertionKind.Return => string.Join(' ', assertion.Expected),
        AssertionKind.Exception => "an exception",
        _ => $"\"{assertion.Message}\"",
    };

    static string Describe(ScriptAction action)
    {
        if (action.Arguments is not { } arguments) return action.Name;
        var values = arguments.Select(static value => Describe(value.ToValue(), value.Type));
        return $"{action.Name}({string.Join(", ", values)})";
    }

    static string Describe(ReadOnlySpan<Value> values, ReadOnlySpan<ValueType> types)
    {
        var texts = new string[values.Length];
        for (var i = 0; i < texts.Length; i++) texts[i] = Describe(values[i], types[i]);
        return texts.Length == 0 ? "nothing" : string.Join(' ', texts);
    }

    static string Describe(Value value, ValueType type) => type.Kind switch
    {
        ValueKind.I32 or ValueKind.F32 => $"{type}:0x{value.AsI32:x}",
        ValueKind.I64 or ValueKind.F64 => $"{type}:0x{value.AsI64:x}",
        ValueKind.V128 => $"{type}:{Convert.ToHexStringLower(VectorBytes(value))}",
        _ => $"{type}:{value.AsReference?.ToString() ?? "null"}",
    };

    static byte[] VectorBytes(Value value)
    {
        var bytes = new byte[16];
        System.Runtime.Intrinsics.Vector128.CopyTo(value.AsV128, bytes);
        return bytes;
    }
}
