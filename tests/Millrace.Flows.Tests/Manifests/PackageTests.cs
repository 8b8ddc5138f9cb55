using System.Text.Json.Nodes;

namespace Millrace.Flows.Tests.Manifests;

public sealed class PackageTests : IDisposable
{
    static readonly byte[] EmptyModule = "\0asm\x1\0\0\0"u8.ToArray();

    readonly string _folder = Directory.CreateTempSubdirectory("millrace-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    void Write(string path, string text) => Write(path, System.Text.Encoding.UTF8.GetBytes(text));

    void Write(string path, byte[] bytes)
    {
        var full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    void WriteFlow(string more = "")
    {
        Write("flow.yaml", "millrace: 1\nname: hello\nmodule: hello.wasm\n" + more);
        Write("hello.wasm", EmptyModule);
    }

    [Fact]
    public void Reads_a_flow_with_its_module_and_assets_and_leaves_the_rest()
    {
        WriteFlow();
        Write("assets/a/b.txt", "text");
        Write("src/main.rs", "fn main() {}");

        var package = Package.Load(_folder);

        Assert.Equal("hello", package.Name);
        Assert.Equal(EmptyModule, package.Module.ToArray());
        Assert.Equal("/assets/a/b.txt", package.Assets.Keys.Single());
        Assert.Equal(["assets/a/b.txt", "flow.yaml", "hello.wasm"], package.Files.All.Keys);
    }

    [Fact]
    public void Can_be_read_again_from_its_files()
    {
        WriteFlow("settings: {n: {type: int, default: 1}}");
        var package = Package.Load(_folder, new JsonObject { ["n"] = 5 });

        var again = Package.Read(package.Files);

        Assert.Equal(package.Digest, again.Digest);
        Assert.Equal("""{"n":5}""", again.Flow!.Settings.ToJsonString());
    }

    [Fact]
    public void Another_setting_is_another_version()
    {
        WriteFlow("settings: {n: {type: int, default: 1}}");

        Assert.NotEqual(Package.Load(_folder).Digest, Package.Load(_folder, new JsonObject { ["n"] = 5 }).Digest);
    }

    [Theory]
    [InlineData("s", "string", "text", "\"text\"")]
    [InlineData("s", "list", "a, b", """["a","b"]""")]
    [InlineData("s", "int", "12", "12")]
    [InlineData("s", "bool", "true", "true")]
    [InlineData("s", "duration", "2m", "120000")]
    [InlineData("s", "size", "1KiB", "1024")]
    public void Takes_settings_as_text(string name, string type, string text, string expected)
    {
        WriteFlow($"settings: {{{name}: {{type: {type}}}}}");

        var package = Package.Load(_folder, new JsonObject { [name] = text });

        Assert.Equal(expected, package.Flow!.Settings[name]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"n":"x"}""", "flow.yaml: the setting 'n' is a int, which \"x\" is not")]
    [InlineData("""{"m":1,"n":1}""", "flow.yaml: unknown setting 'm'; known are n")]
    [InlineData("{}", "flow.yaml: the setting 'n' has no default; give it a value")]
    public void Refuses_wrong_settings(string settings, string expected)
    {
        WriteFlow("settings: {n: {type: int}}");

        var fault = Assert.Throws<ManifestException>(
            () => Package.Load(_folder, JsonNode.Parse(settings)!.AsObject()));

        Assert.Equal(expected, fault.Message);
    }

    [Fact]
    public void Says_that_the_folder_holds_no_manifest()
    {
        var fault = Assert.Throws<ManifestException>(() => Package.Load(_folder));

        Assert.Equal($"{_folder}: holds neither flow.yaml nor integration.yaml", fault.Message);
    }

    [Fact]
    public void Says_that_the_folder_is_missing()
    {
        var fault = Assert.Throws<ManifestException>(() => Package.Load(Path.Combine(_folder, "no")));

        Assert.EndsWith("there is no such folder", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_that_the_module_is_missing()
    {
        WriteFlow();
        File.Delete(Path.Combine(_folder, "hello.wasm"));

        var fault = Assert.Throws<ManifestException>(() => Package.Load(_folder));

        Assert.Equal($"flow.yaml: the module 'hello.wasm' is not in {_folder}", fault.Message);
    }

    [Fact]
    public void Says_that_the_module_is_no_module()
    {
        WriteFlow();
        Write("hello.wasm", "#!/bin/sh");

        var fault = Assert.Throws<ManifestException>(() => Package.Load(_folder));

        Assert.Equal("hello.wasm: not a WebAssembly module", fault.Message);
    }

    [Fact]
    public void Takes_no_file_through_a_symbolic_link()
    {
        WriteFlow();
        Directory.CreateDirectory(Path.Combine(_folder, "assets"));
        File.CreateSymbolicLink(Path.Combine(_folder, "assets", "x"), "/etc/hostname");

        var fault = Assert.Throws<ManifestException>(() => Package.Load(_folder));

        Assert.EndsWith("'assets/x' goes through a symbolic link", fault.Message, StringComparison.Ordinal);
    }
}
