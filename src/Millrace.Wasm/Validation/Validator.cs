using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>
/// The typing rules of the core specification (chapter 3 and the algorithm of its appendix), complete for 3.0 and
/// apart from code generation, which relies on them.
/// </summary>
static class Validator
{
    /// <summary>Checks a module and fills <see cref="FunctionDefinition.Facts"/>.</summary>
    /// <exception cref="InvalidException">A rule is broken; tells the function and instruction.</exception>
    public static void Validate(ModuleDefinition module, SafetyCheck without = SafetyCheck.None)
    {
        if (without == SafetyCheck.Validation)
        {
            foreach (var function in module.Functions) function.Facts = new FunctionFacts();
            return;
        }
        var context = new ModuleContext(module, without);
        var code = new CodeValidator(context);
        TypeSectionRules.Check(context);
        ModuleRules.CheckEntities(context);
        ModuleRules.Declare(context);
        ModuleRules.CheckInitializers(context, code);
        ModuleRules.CheckSegments(context, code);
        ModuleRules.CheckStartAndExports(context);
        foreach (var function in module.Functions)
        {
            if (function.Import is null) function.Facts = code.CheckBody(function);
        }
    }
}
