using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Flows.Manifests;

/// <summary>The files of a package by relative path.</summary>
sealed class PackageContent
{
    const long BytesMax = 256L << 20;
    const int FilesMax = 4096;

    PackageContent(string origin, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> files)
    {
        Origin = origin;
        All = files;
    }

    /// <summary>Where they came from, for messages.</summary>
    public string Origin { get; }

    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> All { get; }

    public bool TryGet(string path, out ReadOnlyMemory<byte> bytes) => All.TryGetValue(path, out bytes);

    public PackageContent With(string path, ReadOnlyMemory<byte> bytes) => new(Origin, All.SetItem(path, bytes));

    public static PackageContent Of(string origin, IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> files) =>
        new(origin, files.ToImmutableSortedDictionary(StringComparer.Ordinal));

    /// <summary>
    /// Reads the manifest, what it names, <c>schemas/</c> and <c>assets/</c>; whatever else lies in the folder
    /// (sources, build output) is no part of the package.
    /// </summary>
    public static PackageContent FromFolder(string folder)
    {
        var root = Path.GetFullPath(folder);
        if (!Directory.Exists(root)) throw new ManifestException(folder, 0, 0, "there is no such folder");
        var reader = new FolderReader(folder, root);
        foreach (var manifest in new[] { FlowManifestReader.FileName, IntegrationManifestReader.FileName })
        {
            if (!File.Exists(Path.Combine(root, manifest))) continue;
            var bytes = reader.Add(manifest);
            reader.AddNamed(manifest == FlowManifestReader.FileName
                ? [FlowManifestReader.Read(bytes.Span).Module]
                : Named(IntegrationManifestReader.Read(bytes.Span)));
        }
        reader.AddFolder("schemas");
        reader.AddFolder("assets");
        return new PackageContent(folder, reader.Files.ToImmutable());
    }

    static IEnumerable<string> Named(IntegrationManifest manifest)
    {
        var schemas = manifest.Operations.Values.SelectMany(o => new[] { o.Request?.Text, o.Result?.Text });
        return schemas.OfType<string>().Prepend(manifest.Module);
    }

    /// <summary>SHA-256 over every path and content, each with its length before it, in hex.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, bytes) in All)
        {
            Append(hash, Encoding.UTF8.GetBytes(path));
            Append(hash, bytes.Span);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }

    sealed class FolderReader(string origin, string root)
    {
        long _bytes;

        public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Builder Files { get; } =
            ImmutableSortedDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);

        public void AddNamed(IEnumerable<string> paths)
        {
            foreach (var path in paths)
            {
                // A missing one is reported where the manifest is read, which knows its line.
                if (File.Exists(Path.Combine(root, path))) Add(path);
            }
        }

        public void AddFolder(string name)
        {
            var folder = Path.Combine(root, name);
            if (!Directory.Exists(folder)) return;
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
                Add(Path.GetRelativePath(root, file).Replace('\\', '/'));
        }

        public ReadOnlyMemory<byte> Add(string path)
        {
            if (Files.TryGetValue(path, out var known)) return known;
            if (PackageFiles.Fault(path) is { } fault) throw new ManifestException(origin, 0, 0, fault);
            var full = Path.Combine(root, path);
            RefuseLinks(path);
            _bytes += new FileInfo(full).Length;
            if (_bytes > BytesMax || Files.Count >= FilesMax)
            {
                throw new ManifestException(
                    origin, 0, 0, $"a package has at most {FilesMax} files and {BytesMax >> 20} MiB");
            }
            ReadOnlyMemory<byte> bytes = File.ReadAllBytes(full);
            Files.Add(path, bytes);
            return bytes;
        }

        /// <summary>A link could bring any file of the deployer's machine into the package.</summary>
        void RefuseLinks(string path)
        {
            var full = root;
            foreach (var part in path.Split('/'))
            {
                full = Path.Combine(full, part);
                if (new FileInfo(full).LinkTarget is not null)
                    throw new ManifestException(origin, 0, 0, $"'{path}' goes through a symbolic link");
            }
        }
    }
}
