namespace Millrace.Wasm.Tests;

/// <summary>A module in a store of its own, for tests.</summary>
sealed class Guest : IDisposable
{
    static readonly Engine Shared = new();

    Guest(Store store, Instance instance) => (Store, Instance) = (store, instance);

    public Store Store { get; }

    public Instance Instance { get; }

    public static Guest FromWat(
        string text, StoreLimits? limits = null, Action<Linker>? define = null, Engine? engine = null) =>
        FromBytes(WatText.ToBinary(text), define, limits, engine);

    public static Guest FromBytes(
        byte[] bytes, Action<Linker>? define = null, StoreLimits? limits = null, Engine? engine = null)
    {
        engine ??= Shared;
        var store = new Store(engine, limits);
        var linker = new Linker(engine);
        define?.Invoke(linker);
        return new Guest(store, linker.Instantiate(store, Module.Compile(engine, bytes)));
    }

    public Value[] Call(string name, params ReadOnlySpan<Value> arguments) =>
        Instance.FindFunction(name)!.Call(arguments);

    public int CallI32(string name, params ReadOnlySpan<Value> arguments) => Call(name, arguments)[0].AsI32;

    public TrapException Traps(string name, params ReadOnlySpan<Value> arguments)
    {
        try
        {
            Call(name, arguments);
        }
        catch (TrapException trap)
        {
            return trap;
        }
        throw new InvalidOperationException($"{name} did not trap");
    }

    public void Dispose() => Store.Dispose();
}
