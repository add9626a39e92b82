/* SPDX-License-Identifier: BSD-2-Clause */
/* Heap - 40 MiB of the Java heap, and where they are */
public class Heap {
	public static void main(String[] args) throws Exception
	{
		byte[][] rows = new byte[40][];

		for (int i = 0; i < rows.length; i++)
			rows[i] = new byte[1 << 20];
		System.out.println(java.nio.file.Files.readString(
			java.nio.file.Path.of("/proc/self/numa_maps")));
		if (rows[39].length != 1 << 20)
			System.exit(1);
	}
}
