using Millrace.Wasm.Binary;

namespace Millrace.Fuzz.Mutation;

/// <summary>Changes modules in binary form; sizes of sections and bodies are mostly made right again.</summary>
sealed class BinaryMutator(Choices choices, MutationCorpus corpus)
{
    static readonly byte[][] Numbers =
    [
        [0], [1], [2], [0x7F], [0x80, 1], [0xFF, 0x7F], [0x80, 0x80, 4], [0xFF, 0xFF, 0xFF, 0xFF, 7],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x80, 0x80, 8], [0x80, 0x80, 0x80, 0x80, 0x10],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [0xC0, 0x84, 0x3D], [0xD0, 0x86, 3],
    ];

    static readonly Instruction[] Rows = [.. Instructions.All.ToArray()];

    public byte[] Next()
    {
        var module = choices.Of(corpus.Modules);
        var bytes = choices.Below(16) switch
        {
            0 => Raw([.. module.Bytes], from: 0),
            1 => Cut(module.Bytes),
            2 => Join(WithOtherSections(module)),
            <= 4 => Join(WithContent(module)),
            _ => Join(WithBody(module)),
        };
        // Sometimes once more, whatever it is by now.
        return choices.OneIn(12) ? Raw([.. bytes], from: 8) : bytes;
    }

    byte[] Cut(byte[] bytes) => bytes[..choices.Below(bytes.Length)];

    byte[] Raw(List<byte> bytes, int from)
    {
        for (var changes = 1 + choices.Below(4); changes > 0 && bytes.Count > from; changes--)
        {
            var at = from + choices.Below(bytes.Count - from);
            switch (choices.Below(7))
            {
                case 0: bytes[at] = (byte)choices.Bits(); break;
                case 1: bytes[at] ^= (byte)(1 << choices.Below(8)); break;
                case 2: bytes.Insert(at, (byte)choices.Bits()); break;
                case 3: bytes.RemoveAt(at); break;
                case 4: bytes.RemoveRange(at, Math.Min(choices.Below(20), bytes.Count - at)); break;
                case 5: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(choices.Below(20), bytes.Count - at))); break;
                default:
                    bytes.RemoveAt(at);
                    bytes.InsertRange(at, choices.Of(Numbers));
                    break;
            }
        }

        return [.. bytes];
    }

    List<(byte Id, byte[] Content)> WithOtherSections(BinaryModule module)
    {
        var sections = module.Sections.ToList();
        if (sections.Count == 0) return sections;
        var at = choices.Below(sections.Count);
        switch (choices.Below(5))
        {
            case 0: sections.RemoveAt(at); break;
            case 1: sections.Insert(choices.Below(sections.Count), sections[at]); break;
            case 2: (sections[0], sections[at]) = (sections[at], sections[0]); break;
            case 3: sections[at] = ((byte)choices.Below(16), sections[at].Content); break;
            default:
                var others = choices.Of(corpus.Modules).Sections;
                var same = others.Where(other => other.Id == sections[at].Id).ToList();
                if (same.Count > 0) sections[at] = same[0];
                break;
        }

        return sections;
    }

    List<(byte Id, byte[] Content)> WithContent(BinaryModule module)
    {
        var sections = module.Sections.ToList();
        if (sections.Count == 0) return sections;
        var at = choices.Below(sections.Count);
        sections[at] = (sections[at].Id, Raw([.. sections[at].Content], from: 0));
        return sections;
    }

    List<(byte Id, byte[] Content)> WithBody(BinaryModule module)
    {
        if (module.Bodies.IsEmpty) return WithContent(module);
        var at = choices.Below(module.Bodies.Length);
        var body = choices.OneIn(6) ? Raw([.. module.Bodies[at]], from: 0) : Edited(module, at);
        var bodies = module.Bodies.SetItem(at, body);
        byte[] content = [.. Leb((uint)bodies.Length), .. bodies.SelectMany(one => Leb((uint)one.Length).Concat(one))];
        return [.. module.Sections.Select(section =>
            section.Id == BinaryModule.CodeSection ? (section.Id, content) : section)];
    }

    // Whole instructions: put in, taken out, changed for others, from here or from elsewhere.
    byte[] Edited(BinaryModule module, int at)
    {
        var (body, starts) = (module.Bodies[at], module.Instructions[at]);
        if (starts.IsEmpty) return body;
        var pieces = starts.Select((start, i) => body[start..(i + 1 < starts.Length ? starts[i + 1] : body.Length)]).ToList();
        for (var changes = 1 + choices.Below(4); changes > 0 && pieces.Count > 0; changes--)
        {
            var i = choices.Below(pieces.Count);
            switch (choices.Below(12))
            {
                case 0: pieces.RemoveAt(i); break;
                case 1: pieces.Insert(i, pieces[choices.Below(pieces.Count)]); break;
                case 2: pieces[i] = Any(); break;
                case 3: pieces.Insert(i, Any()); break;
                case 4: pieces[i] = [.. pieces[i].AsSpan(0, 1), .. Number()]; break;
                case <= 10: pieces[i] = SameShape(pieces[i]); break;
                default:
                    var other = choices.Below(pieces.Count);
                    (pieces[i], pieces[other]) = (pieces[other], pieces[i]);
                    break;
            }
        }

        return [.. body[..starts[0]], .. pieces.SelectMany(piece => piece)];
    }

    // An instruction of the same types where the old one has a plain row: the module often stays valid.
    byte[] SameShape(byte[] old)
    {
        var code = old[0] == 0xFD && old.Length == 2 ? 0xFD000 + old[1] : old.Length == 1 ? old[0] : -1;
        if (Array.Find(Rows, one => (int)one.Opcode == code) is not { HasSignature: true } row)
            return old.Length == 2 ? [old[0], .. Number()] : old;
        var fits = Array.FindAll(Rows, one => one.HasSignature && one.Immediate == ImmediateKind.Nothing
            && one.Parameters.SequenceEqual(row.Parameters) && one.Results.SequenceEqual(row.Results));
        return fits.Length == 0 ? old : Encoded(choices.Of(fits));
    }

    byte[] Any()
    {
        var row = choices.Of(Rows);
        var immediates = row.Immediate switch
        {
            ImmediateKind.Nothing => [],
            ImmediateKind.Block => choices.OneIn(2) ? [0x40] : new[] { (byte)(0x7B + choices.Below(5)) },
            ImmediateKind.V128 or ImmediateKind.Shuffle => [.. Enumerable.Range(0, 16).Select(_ => (byte)choices.Below(33))],
            ImmediateKind.F32 => BitConverter.GetBytes((uint)choices.Bits()),
            ImmediateKind.F64 => BitConverter.GetBytes(choices.Bits()),
            _ => Enumerable.Range(0, 1 + choices.Below(3)).SelectMany(_ => Number()).ToArray(),
        };
        return [.. Encoded(row), .. immediates];
    }

    byte[] Number() => choices.OneIn(8) ? choices.Of(Numbers) : [(byte)choices.Below(6)];

    static byte[] Encoded(Instruction row) => (int)row.Opcode < 0x100
        ? [(byte)row.Opcode] : [(byte)((int)row.Opcode >> 12), .. Leb((uint)row.Opcode & 0xFFF)];

    static byte[] Join(List<(byte Id, byte[] Content)> sections) =>
    [
        0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0,
        .. sections.SelectMany(section => Leb((uint)section.Content.Length).Prepend(section.Id).Concat(section.Content)),
    ];

    static byte[] Leb(uint value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
