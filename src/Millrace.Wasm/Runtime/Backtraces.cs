using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using Millrace.Wasm.Compilation;

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
            if (frame.GetMethod() is not { } method || Code(method) is not { } code) continue;
            var index = CompiledModule.FunctionIndexOf(method);
            frames.Add(new GuestFrame(index, code.NameOf(index)));
            if (frames.Count == FramesMax) break;
        }
        return frames.ToImmutable();
    }

    /// <summary>Whether guest code itself threw it.</summary>
    public static bool StartsInGuest(Exception exception) =>
        exception.TargetSite is null || Code(exception.TargetSite) is not null;

    static CompiledModule? Code(MethodBase method) => CompiledModule.Of(method.Module.Assembly);
}
