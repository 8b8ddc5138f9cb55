using System.Reflection;
using System.Text;

namespace Millrace.Repo.Tests;

/// <summary>What others can see: kept in api/*.txt, so that a change of it is a line in a diff.</summary>
public class PublicSurfaceTests
{
    public static TheoryData<string> Libraries =>
        ["Millrace.Wasm", "Millrace.Wasi", "Millrace.Nn", "Millrace.Sandbox", "Millrace.Inference", "Millrace.Flows", "Millrace.Server"];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Public_types_live_in_the_project_root(string library)
    {
        var hidden = Types(library).Where(type => type.Namespace != library).Select(type => type.FullName);

        Assert.Empty(hidden);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_surface_is_the_one_that_was_reviewed(string library)
    {
        var path = Path.Combine(Repository.Root, "api", library + ".txt");
        var surface = Surface(library);
        if (Environment.GetEnvironmentVariable("UPDATE_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, surface);
        }

        Assert.True(File.Exists(path), $"api/{library}.txt is missing: run this test with UPDATE_API=1 and review the diff");
        Assert.Equal(File.ReadAllText(path), surface);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void An_interface_has_at_least_two_implementations(string library)
    {
        // Test fakes count; a border to a part that comes later is listed with its reason.
        // IStore: the one of PostgreSQL. INn…: the backends, one after another.
        string[] awaited = ["IStore", "INnBackend", "INnGraph", "INnContext", "INnTextContext"];
        var own = Assembly.Load(library).GetTypes().Where(type => type.IsInterface && !awaited.Contains(type.Name)
            && !type.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)));
        var sources = Repository.Files(".cs").Select(Repository.Read).ToList();
        var lonely = own.Where(type => sources.Sum(text => Implementations(text, type.Name.Split('`')[0])) < 2).Select(type => type.Name);

        Assert.Empty(lonely);
    }

    static int Implementations(string text, string name) => System.Text.RegularExpressions.Regex.Count(
        text, $@"(?:class|record|struct)\s[^{{;]*[:,]\s*{System.Text.RegularExpressions.Regex.Escape(name)}\b");

    static IEnumerable<Type> Types(string library) =>
        Assembly.Load(library).GetExportedTypes().Where(type => !type.IsNested || type.DeclaringType!.IsPublic);

    static string Surface(string library)
    {
        var text = new StringBuilder();
        foreach (var type in Types(library).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type).Append('\n');
            var members = type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Where(IsWritten).Select(member => member.ToString()!).Order(StringComparer.Ordinal);
            foreach (var member in members) text.Append("  ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.IsSubclassOf(typeof(Delegate)) ? "delegate" : "class";

    static bool IsWritten(MemberInfo member) => member switch
    {
        Type => false,
        MethodInfo { IsSpecialName: true } => false,
        MethodInfo { Name: "ToString" or "GetHashCode" or "Equals" or "<Clone>$" or "Deconstruct" } => false,
        FieldInfo { Name: "value__" } => false,
        _ => true,
    };
}
