using System.Collections.Immutable;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Text;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Scripts;

/// <summary>Executes the commands of one script and keeps count.</summary>
sealed class ScriptRunner : IDisposable
{
    readonly Engine _engine;
    readonly TextSource _source;
    readonly Store _store;
    readonly Linker _linker;
    readonly ScriptScope _scope = new();
    readonly ActionRunner _actions;
    readonly ImmutableArray<WastFailure>.Builder _failures = ImmutableArray.CreateBuilder<WastFailure>();
    readonly ImmutableArray<WastFailure>.Builder _faults = ImmutableArray.CreateBuilder<WastFailure>();
    readonly ImmutableArray<WastExclusion>.Builder _exclusions = ImmutableArray.CreateBuilder<WastExclusion>();
    int _passed;

    public ScriptRunner(Engine engine, TextSource source)
    {
        (_engine, _source, _store, _linker) = (engine, source, new(engine), new(engine));
        _actions = new(_scope);
        SpectestModule.Define(_linker, _store);
    }

    public void Dispose() => _store.Dispose();

    public WastReport Run(string file, CancellationToken cancellation)
    {
        using var stop = cancellation.Register(_store.Interrupt);
        var reader = new ScriptReader(_source);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if (reader.Next() is not { } command) break;
                Record(command, Execute(command));
            }
            catch (MalformedException fault)
            {
                _faults.Add(new(_source.LineOf((int)fault.Offset), fault.Message));
            }
        }

        if (cancellation.IsCancellationRequested) _faults.Add(new(0, "the script did not end in time"));
        return new(file, _passed, _failures.DrainToImmutable(), _exclusions.DrainToImmutable(),
            _faults.DrainToImmutable());
    }

    void Record(Command command, Outcome outcome)
    {
        var isAssertion = command is ActionAssertion or ModuleAssertion;
        if (outcome == Outcome.Passed)
        {
            if (isAssertion) _passed++;
            return;
        }

        var line = _source.LineOf(command.Offset);
        if (outcome.Failure is { } failure) (isAssertion ? _failures : _faults).Add(new(line, failure));
        else if (isAssertion) _exclusions.Add(new(line, outcome.Exclusion!));
    }

    Outcome Execute(Command command)
    {
        try
        {
            return command switch
            {
                ModuleCommand module => Define(module),
                InstanceCommand instance => Instantiate(instance),
                RegisterCommand register => Register(register),
                ActionCommand action => _actions.Do(action.Action),
                ActionAssertion assertion => _actions.Check(assertion),
                ModuleAssertion assertion => Check(assertion),
                _ => throw new ArgumentOutOfRangeException(nameof(command), command, null),
            };
        }
        catch (Exception fault)
        {
            // The edge of one command: whatever escapes the engine here is a finding about the engine.
            return Outcome.Failed($"{fault.GetType().Name}: {fault.Message}");
        }
    }

    Outcome Define(ModuleCommand command)
    {
        var slot = Compile(command.Module);
        _scope.Define(command.Id, slot);
        return command.IsDefinition ? slot.Blocked : Instantiate(command.Id, slot);
    }

    Outcome Instantiate(InstanceCommand command) => Instantiate(command.Id, _scope.Module(command.Definition));

    Outcome Instantiate(string? id, ModuleSlot module)
    {
        var slot = new InstanceSlot(null, module.Blocked);
        try
        {
            if (module.Module is { } compiled)
            {
                var instance = _linker.Instantiate(_store, compiled);
                _scope.Share(instance);
                slot = new(instance, Outcome.Passed);
            }
        }
        catch (Exception fault) when (fault is LinkException or TrapException)
        {
            slot = new(null, Outcome.Failed($"not instantiated: {fault.Message}"));
        }

        _scope.Define(id, slot);
        return slot.Blocked;
    }

    Outcome Register(RegisterCommand command)
    {
        var (instance, blocked) = _scope.Instance(command.Id);
        if (instance is not null)
        {
            _linker.Define(command.Name, instance);
            _scope.Register(command.Name, instance);
        }
        else if (blocked.Exclusion is { } reason)
        {
            _scope.Exclude(command.Name, reason);
        }

        return blocked;
    }

    /// <summary>Takes a module that is meant to be good through all phases.</summary>
    ModuleSlot Compile(ModuleText text)
    {
        try
        {
            var bytes = text.ToBinary();
            var definition = Decoder.Decode(bytes);
            Validator.Validate(definition);
            if (ExclusionOf(definition) is not { } reason) return new(Module.Compile(_engine, bytes), Outcome.Passed);
            _scope.Miss(definition, reason);
            return new(null, Outcome.Excluded(reason));
        }
        catch (Exception fault) when (fault is MalformedException or InvalidException)
        {
            return new(null, Outcome.Failed($"not a module: {fault.Message}"));
        }
    }

    /// <summary>A module is excluded for what it uses itself, or for what the module it imports from uses. That the
    /// engine refuses it is checked, not assumed.</summary>
    string? ExclusionOf(ModuleDefinition definition)
    {
        var missing = definition.Features & ~_engine.Options.Features;
        if (missing != WasmFeatures.None)
        {
            try
            {
                Module.Compile(_engine, definition.Bytes);
            }
            catch (UnsupportedFeatureException)
            {
                return $"switched off: {FeatureNames.Of(missing)}";
            }

            return null;
        }

        return definition.Imports.Select(import => _scope.ExclusionOf(import.Module))
            .FirstOrDefault(static reason => reason is not null);
    }

    Outcome Check(ModuleAssertion assertion) => assertion.Kind switch
    {
        AssertionKind.Malformed or AssertionKind.MalformedCustom =>
            Refused<MalformedException>(assertion, () => Decoder.Decode(assertion.Module.ToBinary())),
        AssertionKind.Invalid or AssertionKind.InvalidCustom =>
            Refused<InvalidException>(assertion, () => Validator.Validate(Decoder.Decode(assertion.Module.ToBinary()))),
        _ => CheckInstantiation(assertion),
    };

    static Outcome Refused<TFault>(ModuleAssertion assertion, Action phase)
        where TFault : WasmException
    {
        try
        {
            phase();
            return Outcome.Failed($"accepted; expected \"{assertion.Message}\"");
        }
        catch (WasmException fault)
        {
            return fault is TFault && Reasons.Match(Reasons.Of(fault), assertion.Message)
                ? Outcome.Passed
                : Outcome.Failed($"{fault.GetType().Name} \"{fault.Message}\"; expected \"{assertion.Message}\"");
        }
    }

    Outcome CheckInstantiation(ModuleAssertion assertion)
    {
        var (module, blocked) = Compile(assertion.Module);
        if (module is null) return blocked;
        try
        {
            _linker.Instantiate(_store, module);
            return Outcome.Failed($"instantiated; expected \"{assertion.Message}\"");
        }
        catch (Exception fault) when (fault is LinkException or TrapException)
        {
            var isPhase = fault is LinkException == (assertion.Kind == AssertionKind.Unlinkable);
            return isPhase && Reasons.Match(Reasons.Of((WasmException)fault), assertion.Message)
                ? Outcome.Passed
                : Outcome.Failed($"{fault.GetType().Name} \"{fault.Message}\"; expected \"{assertion.Message}\"");
        }
    }
}
