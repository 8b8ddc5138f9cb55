namespace Millrace.Inference.OpenVino;

/// <summary>Which places of an axis make up each place of the resized one. In single precision, as OpenVINO counts.</summary>
sealed record ResizedAxis(long From, long To, float Scale)
{
    /// <summary>Where each place of the output lies in the input; null where the mode is not known.</summary>
    public float[]? Coordinates(string mode)
    {
        var places = new float[To];
        for (var at = 0; at < To; at++)
        {
            float? place = mode switch
            {
                "half_pixel" => (at + 0.5f) / Scale - 0.5f,
                "pytorch_half_pixel" => To > 1 ? (at + 0.5f) / Scale - 0.5f : 0,
                "asymmetric" => at / Scale,
                "tf_half_pixel_for_nn" => (at + 0.5f) / Scale,
                "align_corners" => To == 1 ? 0 : at * (float)(From - 1) / (To - 1),
                _ => null,
            };
            if (place is null) return null;
            places[at] = place.Value;
        }

        return places;
    }

    /// <summary>The one place next to each coordinate; null where the mode is not known.</summary>
    public long[]? Nearest(float[] coordinates, string mode)
    {
        var places = new long[To];
        for (var at = 0; at < To; at++)
        {
            var place = coordinates[at];
            float? nearest = mode switch
            {
                "round_prefer_floor" => place == MathF.Floor(place) + 0.5f ? MathF.Floor(place) : MathF.Round(place),
                "round_prefer_ceil" => MathF.Round(place, MidpointRounding.AwayFromZero),
                "floor" => MathF.Floor(place),
                "ceil" => MathF.Ceiling(place),
                "simple" => Scale < 1 ? MathF.Ceiling(place) : MathF.Truncate(place),
                _ => null,
            };
            if (nearest is null) return null;
            places[at] = Clamp((long)nearest.Value);
        }

        return places;
    }

    /// <summary>The two places around each coordinate, and their weights.</summary>
    public IEnumerable<(long[] Places, double[] Weights)> Linear(float[] coordinates)
    {
        float[] inside = [.. coordinates.Select(place => Math.Clamp(place, 0, From - 1))];
        yield return (
            [.. inside.Select(place => Clamp((long)MathF.Floor(place)))], [.. inside.Select(place => 1.0 - (place - MathF.Floor(place)))]);
        yield return (
            [.. inside.Select(place =>
                Clamp((long)MathF.Floor(place) + 1))], [.. inside.Select(place => (double)(place - MathF.Floor(place)))]);
    }

    /// <summary>The four places around each coordinate, and their weights.</summary>
    public IEnumerable<(long[] Places, double[] Weights)> Cubic(float[] coordinates, double coefficient)
    {
        for (var tap = -1; tap <= 2; tap++)
        {
            var (shift, places, weights) = (tap, new long[To], new double[To]);
            for (var at = 0; at < To; at++)
            {
                var floor = MathF.Floor(coordinates[at]);
                places[at] = Clamp((long)floor + shift);
                weights[at] = CubicWeight(Math.Abs(coordinates[at] - floor - shift), coefficient);
            }

            yield return (places, weights);
        }
    }

    /// <summary>A matrix [From, To] of the filter of Pillow: linear, or cubic where there is a coefficient.</summary>
    public double[] Pillow(double? coefficient)
    {
        var matrix = new double[From * To];
        var scale = 1.0 / Scale;
        var stretch = Math.Max(1, scale);
        var support = (coefficient is null ? 1 : 2) * stretch;
        for (var at = 0; at < To; at++)
        {
            var centre = (at + 0.5) * scale;
            var first = Math.Max(0, (long)(centre - support + 0.5));
            var end = Math.Min(From, (long)(centre + support + 0.5));
            double Weight(long place)
            {
                var distance = Math.Abs((place - centre + 0.5) / stretch);
                return coefficient is { } a ? CubicWeight(distance, a) : Math.Max(0, 1 - distance);
            }

            var sum = 0.0;
            for (var place = first; place < end; place++) sum += Weight(place);
            for (var place = first; place < end; place++) matrix[place * To + at] = sum == 0 ? 0 : Weight(place) / sum;
        }

        return matrix;
    }

    static double CubicWeight(double distance, double a) => distance switch
    {
        < 1 => ((a + 2) * distance - (a + 3)) * distance * distance + 1,
        < 2 => ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a,
        _ => 0,
    };

    long Clamp(long place) => Math.Clamp(place, 0, From - 1);
}
