using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Guest frames of an exception. Taken as it passes; source lines are looked up when somebody reads them. Small
/// functions that the JIT inlined have no frame of their own, unless the trap tells its site.
/// </summary>
sealed class Backtrace
{
    /// <summary>Frames kept, the innermost.</summary>
    public const int FramesMax = 64;

    public static readonly Backtrace Empty = new([], Traps.NoSite);

    readonly List<Place> _places;
    readonly int _site;
    ImmutableArray<GuestFrame> _frames;

    Backtrace(List<Place> places, int site) => (_places, _site) = (places, site);

    /// <summary>Whether frames further out are not kept.</summary>
    public bool IsFull => _places.Count == FramesMax;

    /// <summary>The frames, innermost first.</summary>
    public ImmutableArray<GuestFrame> Frames => _frames.IsDefault ? _frames = Look() : _frames;

    /// <summary>The frames that the exception has passed.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="site">Offset in the code section where guest code itself threw it.</param>
    public static Backtrace Of(Exception exception, int site = Traps.NoSite)
    {
        var places = new List<Place>();
        var isTrap = false;
        foreach (var frame in new StackTrace(exception, fNeedFileInfo: false).GetFrames())
        {
            // Constructors of structs are no functions of the guest.
            if (frame.GetMethod() is not { IsConstructor: false } method) continue;
            if (Code(method) is not { } code)
            {
                isTrap = method.DeclaringType == typeof(Traps);
                continue;
            }
            // Of calls that trap with equal arguments the JIT makes one, whose place tells nothing.
            var isPlace = places.Count > 0 || !isTrap;
            places.Add(new Place(code, CompiledModule.FunctionIndexOf(method), isPlace ? frame.GetILOffset() : -1));
            if (places.Count == FramesMax) break;
        }
        return new Backtrace(places, site);
    }

    /// <summary>Whether guest code itself threw it.</summary>
    public static bool StartsInGuest(Exception exception) =>
        exception.TargetSite is null || Code(exception.TargetSite) is not null;

    /// <summary>Whether making a guest's object threw it.</summary>
    public static bool StartsInObjects(Exception exception) =>
        StartsInGuest(exception) || exception.TargetSite?.DeclaringType?.Namespace == typeof(ObjectHeap).Namespace;

    ImmutableArray<GuestFrame> Look()
    {
        var maps = _places.Where(place => place.Code.HasLines).GroupBy(place => place.Code, place => place.Function)
            .ToDictionary(one => one.Key, one => one.Key.MapsOf(one.Distinct()));
        var frames = ImmutableArray.CreateBuilder<GuestFrame>();
        CompiledModule? calleeCode = null;
        var callee = CodeMap.AnyCallee;
        if (_site != Traps.NoSite && _places.Count > 0)
        {
            calleeCode = _places[0].Code;
            callee = calleeCode.FunctionAt(_site);
            frames.Add(Frame(calleeCode, callee, _site));
        }
        for (var i = 0; i < _places.Count; i++)
        {
            var (code, function, cil) = _places[i];
            // The function that trapped has this frame, unless it was inlined into the one that has.
            if (i == 0 && frames.Count > 0 && callee == function) continue;
            int? offset = maps.TryGetValue(code, out var map) && cil >= 0
                ? map[function].Find(cil, code == calleeCode ? callee : CodeMap.AnyCallee)
                : null;
            frames.Add(Frame(code, function, offset));
            (calleeCode, callee) = (code, function);
        }
        if (frames.Count > FramesMax) frames.Count = FramesMax;
        return frames.DrainToImmutable();
    }

    static GuestFrame Frame(CompiledModule code, int function, int? offset)
    {
        var line = offset is { } at ? code.Lines.Find(at) : null;
        return new GuestFrame(function, code.NameOf(function))
        {
            CodeOffset = offset,
            File = line?.File,
            Line = line?.Line,
        };
    }

    static CompiledModule? Code(MethodBase method) => CompiledModule.Of(method);

    /// <summary>A function and a place in its CIL; negative where the runtime does not know it.</summary>
    readonly record struct Place(CompiledModule Code, int Function, int Cil);
}
