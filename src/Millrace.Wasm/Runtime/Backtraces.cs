using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Runtime;

/// <summary>Guest frames of an exception. Small functions that the JIT inlined have none of their own.</summary>
static class Backtraces
{
    /// <summary>Frames kept, the innermost.</summary>
    public const int FramesMax = 64;

    public static ImmutableArray<GuestFrame> Of(Exception exception)
    {
        var frames = ImmutableArray.CreateBuilder<GuestFrame>();
        foreach (var frame in new StackTrace(exception, fNeedFileInfo: false).GetFrames())
        {
            // Constructors of structs are no functions of the guest.
            if (frame.GetMethod() is not { IsConstructor: false } method || Code(method) is not { } code) continue;
            var index = CompiledModule.FunctionIndexOf(method);
            frames.Add(new GuestFrame(index, code.NameOf(index)));
            if (frames.Count == FramesMax) break;
        }
        return frames.ToImmutable();
    }

    /// <summary>Whether guest code itself threw it.</summary>
    public static bool StartsInGuest(Exception exception) =>
        exception.TargetSite is null || Code(exception.TargetSite) is not null;

    /// <summary>Whether making a guest's object threw it.</summary>
    public static bool StartsInObjects(Exception exception) =>
        StartsInGuest(exception) || exception.TargetSite?.DeclaringType?.Namespace == typeof(ObjectHeap).Namespace;

    static CompiledModule? Code(MethodBase method) => CompiledModule.Of(method.Module.Assembly);
}
