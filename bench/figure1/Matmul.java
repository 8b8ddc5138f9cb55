// Matmul N ROWS: as matmul.c's naive step, and its answer.
public final class Matmul {
  public static void main(String[] words) {
    int n = Integer.parseInt(words[0]), rows = Integer.parseInt(words[1]);
    multiply(matrix(256, 7, 3, 11, 5), matrix(256, 5, 13, 17, 8), new double[256][256], 256, 256); // warms up
    double[][] a = matrix(n, 7, 3, 11, 5), b = matrix(n, 5, 13, 17, 8), c = new double[n][n];
    long began = System.nanoTime();
    multiply(a, b, c, n, rows);
    long took = System.nanoTime() - began;
    System.out.println(took + " " + sum(c, 1) + " " + sum(c, rows));
  }

  static void multiply(double[][] a, double[][] b, double[][] c, int n, int rows) {
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < n; j++)
        for (int k = 0; k < n; k++) c[i][j] += a[i][k] * b[k][j];
  }

  static double[][] matrix(int n, int down, int right, int modulus, int less) {
    double[][] matrix = new double[n][n];
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) matrix[i][j] = (i * down + j * right) % modulus - less;
    return matrix;
  }

  static long sum(double[][] c, int rows) {
    long sum = 0;
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < c.length; j++) sum += (long) c[i][j] * ((i * 31 + j) % 17 + 1);
    return sum;
  }
}
