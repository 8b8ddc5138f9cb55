using System.Runtime.CompilerServices;

namespace Millrace.Inference.Templates;

/// <summary>
/// One step deeper into what a template nests: expressions, statements, values, generators. How deep it may go is the same on
/// every machine; the thread's own stack is only the second wall.
/// </summary>
readonly ref struct Level(int before)
{
    /// <summary>The reference stops at about as many frames of its own interpreter. Real templates stay below a tenth.</summary>
    const int Max = 1000;

    [ThreadStatic]
    static int _depth;

    /// <exception cref="TemplateException">It is too deep.</exception>
    public static Level Enter()
    {
        if (_depth >= Max || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TemplateException.Limit("the template nests its expressions or values too deeply");
        return new(_depth++);
    }

    public void Dispose() => _depth = before;
}
